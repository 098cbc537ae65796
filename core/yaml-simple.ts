/**
 * Reads the YAML that most configurations and manifests are written in, without the package `yaml`, whose seventy files
 * take longer to load than a short command to run: mappings and lists of one-line values, `[lists]` and `{mappings}` on
 * one line, comments. Anything else is left to the package. Where this reader answers, it answers as the package does:
 * test/core/yaml-simple.test.ts compares the two.
 */

type KeyPath = readonly (string | number)[];

/** As a YamlDocument of yaml-document.ts. */
interface SimpleDocument {
  readonly value: unknown;
  readonly lineOf: (path: KeyPath) => number | undefined;
}

interface Node {
  /** The line where the value begins, starting at 1. */
  readonly line: number;
  readonly value: unknown;
  /** The nodes of a mapping. */
  readonly keys?: ReadonlyMap<string, Node>;
  /** The nodes of a list. */
  readonly items?: readonly Node[];
}

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/** Thrown for text that this reader leaves to the package. */
const NOT_SIMPLE = new Error("not simple YAML");

/** Tabs, carriage returns and other control characters, and byte order marks. */
const UNUSUAL = /[^\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;
const KEY = /(?<key>[A-Za-z_][\w./-]{0,99}):(?= |$)/y;
const FLOW_KEY = /(?<key>[A-Za-z_][\w./-]{0,99}): +/y;
const END = /(?: *| +#.*)$/y;
/** An unquoted value, whose first character makes it neither another form nor a mistake. */
const PLAIN = /(?:[\w./~$^(<=;+]|-[\w./-])(?:[^ ]| +(?!#))*/y;
const FLOW_PLAIN = /(?:[\w./~$^(<=;+]|-[\w./-])(?:[^,[\]{}:#]|:(?=[\w./-]))*/y;
const DOUBLE_QUOTED = /"(?<inside>(?:[^"\\]|\\["\\nt])*)"/y;
const SINGLE_QUOTED = /'(?<inside>(?:[^']|'')*)'/y;
const ESCAPED: Readonly<Record<string, string>> = { '\\"': '"', "\\\\": "\\", "\\n": "\n", "\\t": "\t" };
const NUMBER = /^(?:0|-?[1-9]\d{0,14}|(?:0|[1-9]\d{0,8})\.\d{1,6})$/;
/** What the package may not take as a string. */
const NOT_STRING = /^(?:null|true|false|[-+]?\.(?:inf|nan)|0o[0-7]+|0x[\da-f]+|[-+]?[\d.]+(?:e[-+]?\d+)?)$/i;
const WORDS: ReadonlyMap<string, unknown> = new Map([
  ["~", null],
  ["null", null],
  ["true", true],
  ["false", false],
]);
const DEEPEST = 16;

/** The document, or undefined for text that only the package can read, valid or not. Never throws. */
export function readSimpleYaml(text: string): SimpleDocument | undefined {
  if (UNUSUAL.test(text)) return undefined;
  try {
    const root = new SimpleReader(text).read();
    return { value: root?.value ?? null, lineOf: (path) => lineOf(root, path) };
  } catch (error) {
    if (error === NOT_SIMPLE) return undefined;
    throw error;
  }
}

function lineOf(root: Node | undefined, path: KeyPath): number | undefined {
  let node = root;
  for (const key of path) node = typeof key === "number" ? node?.items?.[key] : node?.keys?.get(key);
  return node?.line;
}

class SimpleReader {
  readonly #lines: Line[] = [];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    for (const [index, whole] of text.split("\n").entries()) {
      const trimmed = whole.replace(/^ +/, "");
      if (trimmed === "" || trimmed.startsWith("#")) continue;
      this.#lines.push({ number: index + 1, indent: whole.length - trimmed.length, text: trimmed });
    }
  }

  read(): Node | undefined {
    if (this.#lines.length === 0) return undefined;
    const root = this.#block(0);
    if (this.#next < this.#lines.length) throw NOT_SIMPLE;
    return root;
  }

  /** A list or a mapping whose lines are indented by `indent`. */
  #block(indent: number): Node {
    if (this.#depth >= DEEPEST) throw NOT_SIMPLE;
    this.#depth++;
    const line = this.#lines[this.#next]!;
    const node = isItem(line) ? this.#list(indent) : this.#mapping(indent);
    this.#depth--;
    return node;
  }

  #mapping(indent: number): Node {
    const keys = new Map<string, Node>();
    const { number } = this.#lines[this.#next]!;
    for (let line = this.#at(indent); line !== undefined && !isItem(line); line = this.#at(indent)) {
      const found = match(KEY, line.text, 0);
      const key = newKey(found?.groups?.["key"], keys);
      keys.set(key, this.#value(line, key.length + 1, true));
    }
    return { line: number, value: mappingOf(keys), keys };
  }

  #list(indent: number): Node {
    const items: Node[] = [];
    const { number } = this.#lines[this.#next]!;
    for (let line = this.#at(indent); line !== undefined && isItem(line); line = this.#at(indent)) {
      const text = line.text.replace(/^- */, "");
      const place = line.text.length - text.length;
      if (isItem({ text })) throw NOT_SIMPLE;
      if (match(KEY, text, 0) === null) {
        items.push(this.#value(line, 1, false));
      } else {
        // A mapping that begins behind the dash.
        this.#lines[this.#next] = { number: line.number, indent: indent + place, text };
        items.push(this.#block(indent + place));
      }
    }
    return { line: number, value: items.map(({ value }) => value), items };
  }

  /** The value after a key or a dash: on the same line, as a block below it, or null. */
  #value(line: Line, at: number, isKey: boolean): Node {
    this.#next++;
    const below = this.#lines[this.#next];
    if (match(END, line.text, at) === null) {
      if (below !== undefined && below.indent > line.indent) throw NOT_SIMPLE;
      return new InlineReader(line.text, line.number).read(at);
    }
    const isBelow = below !== undefined && below.indent > line.indent;
    if (isBelow || (isKey && below?.indent === line.indent && isItem(below))) return this.#block(below.indent);
    return { line: line.number, value: null };
  }

  /** The next line if it belongs to the block with this indentation. */
  #at(indent: number): Line | undefined {
    const line = this.#lines[this.#next];
    if (line !== undefined && line.indent > indent) throw NOT_SIMPLE;
    return line?.indent === indent ? line : undefined;
  }
}

/** Reads a value on one line. */
class InlineReader {
  readonly #text: string;
  readonly #line: number;
  #at = 0;
  #depth = 0;

  constructor(text: string, line: number) {
    this.#text = text;
    this.#line = line;
  }

  read(at: number): Node {
    this.#at = at;
    this.#skipBlanks();
    const node = this.#node(PLAIN);
    if (match(END, this.#text, this.#at) === null) throw NOT_SIMPLE;
    return node;
  }

  #node(plain: RegExp): Node {
    const first = this.#text[this.#at];
    if (first === "[") return this.#list();
    if (first === "{") return this.#mapping();
    if (first === '"') {
      const inside = this.#take(DOUBLE_QUOTED).groups!["inside"]!;
      return this.#scalar(inside.replaceAll(/\\./g, (escape) => ESCAPED[escape]!));
    }
    if (first === "'") return this.#scalar(this.#take(SINGLE_QUOTED).groups!["inside"]!.replaceAll("''", "'"));
    return this.#scalar(plainValue(withoutLastBlanks(this.#take(plain)[0])));
  }

  #list(): Node {
    const items: Node[] = [];
    this.#items("]", () => items.push(this.#node(FLOW_PLAIN)));
    return { line: this.#line, value: items.map(({ value }) => value), items };
  }

  #mapping(): Node {
    const keys = new Map<string, Node>();
    this.#items("}", () => {
      const key = newKey(this.#take(FLOW_KEY).groups!["key"], keys);
      keys.set(key, this.#node(FLOW_PLAIN));
    });
    return { line: this.#line, value: mappingOf(keys), keys };
  }

  /** Calls `take` for each item up to the closing bracket. */
  #items(close: string, take: () => void): void {
    if (++this.#depth > DEEPEST) throw NOT_SIMPLE;
    this.#at++;
    this.#skipBlanks();
    while (this.#text[this.#at] !== close) {
      take();
      this.#skipBlanks();
      if (this.#text[this.#at] === close) break;
      if (this.#text[this.#at] !== ",") throw NOT_SIMPLE;
      this.#at++;
      this.#skipBlanks();
      // A comma before the bracket.
      if (this.#text[this.#at] === close) throw NOT_SIMPLE;
    }
    this.#at++;
    this.#depth--;
  }

  #take(pattern: RegExp): RegExpExecArray {
    const found = match(pattern, this.#text, this.#at);
    if (found === null) throw NOT_SIMPLE;
    this.#at += found[0].length;
    return found;
  }

  #skipBlanks(): void {
    while (this.#text[this.#at] === " ") this.#at++;
  }

  #scalar(value: unknown): Node {
    return { line: this.#line, value };
  }
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Only blanks: `trimEnd` would also take what is a letter in YAML, such as U+2028. */
function withoutLastBlanks(text: string): string {
  let end = text.length;
  while (text[end - 1] === " ") end--;
  return text.slice(0, end);
}

function isItem({ text }: Pick<Line, "text">): boolean {
  return text === "-" || text.startsWith("- ");
}

function newKey(key: string | undefined, keys: ReadonlyMap<string, Node>): string {
  if (key === undefined || key === "__proto__" || NOT_STRING.test(key) || keys.has(key)) throw NOT_SIMPLE;
  return key;
}

function mappingOf(keys: ReadonlyMap<string, Node>): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [key, node] of keys) value[key] = node.value;
  return value;
}

function plainValue(text: string): unknown {
  if (/:(?: |$)/.test(text)) throw NOT_SIMPLE;
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (NUMBER.test(text)) return Number(text);
  if (NOT_STRING.test(text)) throw NOT_SIMPLE;
  return text;
}
