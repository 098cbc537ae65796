/** Colours the code of an answer. The grammars are Prism's; each is loaded when code of its language is first shown. */
import { createRequire } from "node:module";
import type * as Prism from "prismjs";
import type { Grammar, Token, TokenStream } from "prismjs";
import type loadLanguages from "prismjs/components/index.js";
import type { Paint, Palette } from "./palette.ts";

/** Longer code stays plain: grammars are regular expressions, and some take their time. */
const LONGEST = 20_000;
const KNOWN_NAME = /^[a-z][\w+#-]{0,30}$/i;
/** Other names for languages than the ones that Prism knows. */
const NAMES: Readonly<Record<string, string>> = { console: "shell-session", golang: "go", jsonc: "json5", zsh: "bash" };

interface Grammars {
  readonly prism: typeof Prism;
  readonly load: typeof loadLanguages;
}

let loaded: Grammars | undefined;

/** Loaded at once, in the middle of a drawing, because most answers need none. */
function grammars(): Grammars {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  loaded = {
    prism: require("prismjs") as Grammars["prism"],
    load: require("prismjs/components/index.js") as Grammars["load"],
  };
  loaded.load.silent = true;
  return loaded;
}

/** The lines of `code` in colours; as they are for a language without a grammar. */
export function highlight(code: string, language: string | undefined, palette: Palette): string[] {
  const grammar = language === undefined || code.length > LONGEST ? undefined : grammarOf(language.toLowerCase());
  if (grammar === undefined) return code.split("\n");
  return painted(grammars().prism.tokenize(code, grammar), (text) => text, paintsOf(palette)).split("\n");
}

function grammarOf(language: string): Grammar | undefined {
  const name = NAMES[language] ?? language;
  if (!KNOWN_NAME.test(name)) return undefined;
  const { prism, load } = grammars();
  if (!Object.hasOwn(prism.languages, name)) load([name]);
  return Object.hasOwn(prism.languages, name) ? prism.languages[name] : undefined;
}

/** Each line gets its own colours, because rows are drawn one by one. */
function painted(stream: TokenStream, paint: Paint, paints: Readonly<Record<string, Paint>>): string {
  if (typeof stream === "string") return stream.split("\n").map(paint).join("\n");
  if (Array.isArray(stream)) return stream.map((part) => painted(part, paint, paints)).join("");
  const { type, alias, content }: Token = stream;
  const own = [type, ...[alias ?? []].flat()].map((name) => paints[name]).find((found) => found !== undefined);
  return painted(content, own ?? paint, paints);
}

function paintsOf({ dim, green, yellow, magenta, cyan, red, bold }: Palette): Readonly<Record<string, Paint>> {
  return {
    comment: dim,
    prolog: dim,
    doctype: dim,
    string: green,
    char: green,
    "attr-value": green,
    "template-string": green,
    regex: green,
    number: yellow,
    boolean: yellow,
    constant: yellow,
    symbol: yellow,
    keyword: magenta,
    atrule: magenta,
    important: magenta,
    function: cyan,
    "class-name": yellow,
    builtin: yellow,
    property: cyan,
    tag: cyan,
    "attr-name": yellow,
    key: cyan,
    selector: cyan,
    variable: cyan,
    inserted: green,
    deleted: red,
    coord: cyan,
    title: bold,
  };
}
