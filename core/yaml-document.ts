/** Parses YAML into plain values with their line numbers. */
import { problemOf } from "./errors.ts";
import { readSimpleYaml } from "./yaml-simple.ts";

export type KeyPath = readonly (string | number)[];

export interface YamlDocument {
  readonly value: unknown;
  /** The line of a key's value, starting at 1; undefined for a key that is not in the text. */
  readonly lineOf: (path: KeyPath) => number | undefined;
}

export interface YamlProblem {
  /** What is wrong, to follow `not valid YAML: `. */
  readonly problem: string;
  readonly line?: number;
  /** The line with a mark below the place, to follow the sentence; empty where it cannot be shown. */
  readonly excerpt?: string;
  readonly cause: unknown;
}

/** More aliases could multiply and fill the memory. */
const MOST_ALIASES = 100;

/** Parses a text. Throws the error that `refuse` creates for invalid YAML. */
export async function parseYaml(text: string, refuse: (found: YamlProblem) => Error): Promise<YamlDocument> {
  return readSimpleYaml(text) ?? (await parseAnyYaml(text, refuse));
}

/** The same with the package `yaml`, for any text. Exported for the tests that compare the two. */
export async function parseAnyYaml(text: string, refuse: (found: YamlProblem) => Error): Promise<YamlDocument> {
  const { LineCounter, parseDocument, isNode } = await import("yaml");
  const lineCounter = new LineCounter();
  const lineAt = (offset: number): number => lineCounter.linePos(offset).line;
  let syntax;
  try {
    const document = parseDocument(text, { lineCounter, prettyErrors: false });
    [syntax] = document.errors;
    if (syntax === undefined) {
      return {
        value: document.toJS({ maxAliasCount: MOST_ALIASES }),
        lineOf(path) {
          const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
          return isNode(node) && node.range ? lineAt(node.range[0]) : undefined;
        },
      };
    }
  } catch (error) {
    throw refuse(await explainAlias(text, error, lineAt));
  }
  const { cureFor, excerptOf } = await import("./yaml-hints.ts");
  const { code, message } = syntax;
  const [offset] = syntax.pos;
  const problem = message + cureFor(code, message);
  throw refuse({ problem, line: lineAt(offset), excerpt: excerptOf(text, offset), cause: syntax });
}

/** What is wrong with a document's values: an alias without an anchor, too many aliases, or brackets nested too deep. */
async function explainAlias(text: string, error: unknown, lineAt: (offset: number) => number): Promise<YamlProblem> {
  const problem = problemOf(error);
  const [, alias] = /^Unresolved alias .*: (.+)$/.exec(problem) ?? [];
  const offset = alias === undefined ? -1 : text.indexOf(`*${alias}`);
  if (offset === -1) return { problem, cause: error };
  const { cureFor, excerptOf } = await import("./yaml-hints.ts");
  const cure = cureFor("BAD_ALIAS", problem);
  return { problem: problem + cure, line: lineAt(offset), excerpt: excerptOf(text, offset), cause: error };
}

/** `hooks.pre_tool_call[0].command` */
export function keyText(path: KeyPath): string {
  return path.map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`)).join("");
}
