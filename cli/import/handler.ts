/** Converts one hook of a settings file: its command and how it is run. */
import { resolve } from "node:path";
import { declarationOf } from "#core/events";
import { quoteWord } from "#core/shell-quote";
import { isMapping } from "#core/mapping";
import type { ProgramEvent } from "#sandbox/shell/protocols/program";
import { anchorPaths, replaceVariables, wrapCommand } from "./command-text.ts";
import type { SettingsFolders } from "./folders.ts";
import type { ProgramReader } from "./program-reader.ts";

export interface ConvertedHandler {
  readonly name: string | undefined;
  readonly command: string;
  readonly args: readonly string[] | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly failClosed: boolean;
  readonly isBackground: boolean;
}

export interface HandlerContext {
  readonly reader: ProgramReader;
  readonly folders: SettingsFolders;
  readonly variables: ReadonlyMap<string, string>;
}

/** Takes what is wrong with a key of the hook, or with all of it; with `isImported`, it is imported all the same. */
type Remark = (key: string | null, problem: string, isImported?: boolean) => undefined;
type Handler = Readonly<Record<string, unknown>>;

const LONGEST_TIMEOUT_SECONDS = 300;

/** The hook as hermes runs it; undefined when it cannot be imported, after a remark that says why. */
export function convertHandler(
  handler: unknown,
  row: ProgramEvent,
  context: HandlerContext,
  remark: Remark,
): ConvertedHandler | undefined {
  if (!isMapping(handler)) return remark(null, "an object was expected");
  const { type } = handler;
  if (type !== undefined && type !== "command") {
    return remark(null, `not imported: hermes runs commands, not hooks of type ${JSON.stringify(type)}`);
  }
  const key = context.reader.commandKeys.find((each) => isText(handler[each]));
  if (key === undefined) return remark(null, describeNoCommand(handler));
  if (!hasOnlyKnownKeys(handler, key, context.reader, remark)) return undefined;
  const args = readArgs(handler["args"], context);
  if (args === null) return remark("args", "a list of words was expected; the hook is not imported");
  const raw = handler[key] as string;
  // With arguments of its own, a command is one word, whatever is in it.
  const command = args === undefined ? commandOf(raw, handler, context, remark) : quoteWord(plainText(raw, context));
  const { name } = handler;
  return {
    name: isText(name) ? name : undefined,
    command,
    args,
    timeoutSeconds: timeoutOf(handler, context.reader, remark),
    failClosed: isFailClosed(handler, row, remark),
    isBackground: isBackground(handler, row, remark),
  };
}

function describeNoCommand(handler: Handler): string {
  const other = ["powershell", "windows", "commandWindows"].find((key) => isText(handler[key]));
  return other === undefined
    ? "not imported: it has no command"
    : `not imported: it has a command for Windows alone ("${other}")`;
}

/** False when a key decides what runs or when, which hermes cannot do; after a remark. */
function hasOnlyKnownKeys(handler: Handler, commandKey: string, reader: ProgramReader, remark: Remark): boolean {
  for (const key of Object.keys(handler)) {
    const decisive = Object.hasOwn(reader.decisive, key) ? reader.decisive[key] : undefined;
    if (decisive !== undefined && handler[key] !== false) {
      remark(key, `not imported: ${decisive}`);
      return false;
    }
    if (key === "shell" && handler[key] === "powershell") {
      remark(key, "not imported: hermes runs commands with sh");
      return false;
    }
  }
  const known = new Set([
    commandKey,
    ...reader.commandKeys,
    ...reader.harmless,
    ...reader.timeout.keys,
    "matcher",
    "shell",
  ]);
  for (const key of Object.keys(handler)) {
    const dropped = Object.hasOwn(reader.dropped, key) ? reader.dropped[key] : undefined;
    if (dropped !== undefined) remark(key, `left out: ${dropped}`, true);
    else if (!known.has(key) && !Object.hasOwn(reader.decisive, key)) {
      remark(key, `left out: hermes does not know this key of ${reader.program.owner}`, true);
    }
  }
  return true;
}

/** Undefined without any, null for what is no list of words. */
function readArgs(
  value: unknown,
  { variables }: Pick<HandlerContext, "variables">,
): readonly string[] | undefined | null {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((word) => typeof word === "string")) return null;
  return value.map((word) => plainText(word, { variables }));
}

function commandOf(raw: string, handler: Handler, context: HandlerContext, remark: Remark): string {
  const { folders, variables, reader } = context;
  const replaced = replaceVariables(raw, variables);
  const unknown = [...reader.pluginVariables, "CLAUDE_PLUGIN_DATA", "PLUGIN_DATA"].find((name) =>
    new RegExp(`\\$\\{?${name}\\b`).test(replaced),
  );
  if (unknown !== undefined) remark(null, `its command names ${unknown}, which hermes does not set`, true);
  const folder = isText(handler["cwd"]) && folders.base !== null ? resolve(folders.base, handler["cwd"]) : null;
  const base = folder ?? folders.base;
  const anchored = base === null ? { command: replaced, relative: false } : anchorPaths(replaced, base);
  // A folder of its own also holds for what the script does.
  const own = folder ?? (anchored.relative && reader.startsInFolder ? base : null);
  if (anchored.relative && own === null) {
    remark(null, `its command has relative paths, which start in the folder that hermes runs in, not in ${base}`, true);
  }
  return wrapCommand(anchored.command, { folder: own, variables: textsIn(handler["env"]) });
}

/** The text with its variables replaced as they are: no shell reads it. */
function plainText(text: string, { variables }: Pick<HandlerContext, "variables">): string {
  return text.replaceAll(
    /\$(?:(\w+)|\{([\w/]+)\})/g,
    (found, bare?: string, braced?: string) => variables.get(bare ?? braced ?? "") ?? found,
  );
}

function textsIn(value: unknown): Readonly<Record<string, string>> {
  if (!isMapping(value)) return {};
  const entries = Object.entries(value).filter(([name]) => /^[A-Za-z_]\w*$/.test(name));
  return Object.fromEntries(entries.flatMap(([name, text]) => (typeof text === "string" ? [[name, text]] : [])));
}

/** Whole seconds, from 1 to 300; undefined for the usual time. */
function timeoutOf(handler: Handler, { timeout }: ProgramReader, remark: Remark): number | undefined {
  const key = timeout.keys.find((each) => handler[each] !== undefined && handler[each] !== null);
  if (key === undefined) return undefined;
  const value = handler[key];
  if (typeof value !== "number" || !(value > 0)) {
    remark(key, "left out: a number above 0 was expected", true);
    return undefined;
  }
  const seconds = Math.ceil(timeout.unit === "milliseconds" ? value / 1000 : value);
  if (seconds <= LONGEST_TIMEOUT_SECONDS) return seconds;
  remark(key, `${seconds} seconds are more than hermes waits; it is ${LONGEST_TIMEOUT_SECONDS}`, true);
  return LONGEST_TIMEOUT_SECONDS;
}

function isFailClosed(handler: Handler, { event, name }: ProgramEvent, remark: Remark): boolean {
  if (handler["failClosed"] !== true) return false;
  if (declarationOf(event).onFailure === "mark") return true;
  remark("failClosed", `left out: ${name} cannot block here`, true);
  return false;
}

function isBackground(handler: Handler, { event, name }: ProgramEvent, remark: Remark): boolean {
  if (handler["async"] !== true) return false;
  if (declarationOf(event).kind === "observe") return true;
  remark("async", `left out: hermes waits for the answer of ${name}`, true);
  return false;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}
