/** Reads a settings file with the places of its keys: JSON, with comments and trailing commas as some programs allow, or TOML. */
import { extname } from "node:path";
import { HermesError } from "#core/errors";
import { readRegularFile } from "#core/regular-file";

export type SettingsPath = readonly (string | number)[];

/** Counted from 1. */
export interface SettingsPlace {
  readonly line: number;
  readonly column: number;
}

export interface SettingsFile {
  /** As given by the user, for messages. */
  readonly file: string;
  readonly value: unknown;
  /** Where a key is; null where that is not known. */
  readonly placeOf: (path: SettingsPath) => SettingsPlace | null;
}

const MOST_BYTES = 4 * 1024 * 1024;

/** Throws HERMES_IMPORT_MISSING and HERMES_IMPORT_INVALID, with the line and column of the first mistake. */
export async function readSettingsFile(file: string): Promise<SettingsFile> {
  const reading = readRegularFile(file, { mostBytes: MOST_BYTES });
  if (reading.kind === "absent") {
    throw new HermesError("HERMES_IMPORT_MISSING", { problem: `${file} does not exist.` });
  }
  if (reading.kind === "refused") throw new HermesError("HERMES_IMPORT_INVALID", { file, problem: reading.problem });
  const text = reading.content.toString("utf8").replace(/^\uFEFF/, "");
  return extname(file).toLowerCase() === ".toml" ? readToml(file, text) : readJson(file, text);
}

async function readJson(file: string, text: string): Promise<SettingsFile> {
  const { parseTree, printParseErrorCode, findNodeAtLocation, getNodeValue } = await import("jsonc-parser");
  const errors: { error: number; offset: number; length: number }[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined || tree === undefined) {
    const name = first === undefined ? "ValueExpected" : printParseErrorCode(first.error);
    const problem = `not valid JSON: ${name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase()}`;
    throw new HermesError("HERMES_IMPORT_INVALID", { file, ...placeAt(text, first?.offset ?? 0), problem });
  }
  return {
    file,
    value: getNodeValue(tree) as unknown,
    placeOf(path) {
      const node = findNodeAtLocation(tree, [...path]);
      if (node === undefined) return null;
      // The key, not the value, where there is one.
      return placeAt(text, node.parent?.type === "property" ? node.parent.offset : node.offset);
    },
  };
}

function placeAt(text: string, offset: number): SettingsPlace {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: Array.from(before.slice(start)).length + 1 };
}

async function readToml(file: string, text: string): Promise<SettingsFile> {
  const { parse, TomlError } = await import("smol-toml");
  try {
    return { file, value: parse(text), placeOf: (path) => placeOfTable(text, path) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [sentence = ""] = error.message.split("\n");
    const problem = `not valid TOML: ${sentence.replace(/^Invalid TOML document: /, "")}`;
    const { line, column } = error;
    throw new HermesError("HERMES_IMPORT_INVALID", { file, line, column, problem }, { cause: error });
  }
}

/**
 * The parser keeps no places, so the headings of tables are counted: `[[hooks.PreToolUse.hooks]]` for the innermost list
 * of the path. Null for what is written in one line.
 */
function placeOfTable(text: string, path: SettingsPath): SettingsPlace | null {
  const names = path.filter((key) => typeof key === "string");
  const indices = path.filter((key) => typeof key === "number");
  const outer = names.slice(0, 2).join(".");
  const whole = names.join(".");
  const [group = 0, inner] = indices;
  let groups = -1;
  let inners = -1;
  for (const [index, line] of text.split("\n").entries()) {
    const heading = /^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}/.exec(line)?.[1]?.replaceAll(/\s*\.\s*/g, ".");
    if (heading === outer) [groups, inners] = [groups + 1, -1];
    if (heading === whole && whole !== outer && groups === group) inners += 1;
    const found = inner === undefined ? heading === outer && groups === group : heading === whole && inners === inner;
    if (found && (inner === undefined || groups === group)) return { line: index + 1, column: line.search(/\S/) + 1 };
  }
  return null;
}
