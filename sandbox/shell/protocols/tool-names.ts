/** Maps our tools and their arguments to another program's names and fields, and back, by a table. */
import { relative, resolve } from "node:path";
import { expandHome, userHome } from "#core/home/paths";
import { isMapping } from "#core/mapping";
import type { McpToolName } from "#core/mcp-names";
import type { ToolOrigins } from "#sandbox/shell/matcher";
import type { ShellContext } from "#sandbox/shell/protocol";

type Fields = Readonly<Record<string, unknown>>;

interface Field {
  readonly theirs: string;
  readonly there?: (value: unknown, place: ShellContext) => unknown;
  readonly back?: (value: unknown) => unknown;
}

/** A tool's name in the program, and what its arguments are called there. */
export interface Translation {
  readonly name: string;
  /** Other names that matchers may use. */
  readonly aliases?: readonly string[];
  /** Our fields that differ from theirs. All others are passed unchanged. */
  readonly fields?: Readonly<Record<string, Field>>;
  /** Our fields that their tool name already implies. */
  readonly implied?: readonly string[];
  /** Their fields without a meaning here. */
  readonly foreign?: readonly string[];
  /** For which arguments this is the tool; absent for all that the rows before it leave. */
  readonly when?: (args: Fields) => boolean;
  /** All of their fields, where they are no renamed ones of ours. A script cannot change these. */
  readonly whole?: (args: Fields, place: ShellContext) => Fields;
}

/** Our tools, and their names there: several where that depends on the arguments. */
export type ToolTable = Readonly<Record<string, readonly Translation[]>>;

export interface ToolNames {
  /** The name of a tool in scripts. A tool that the program doesn't have keeps its name. */
  readonly nameOf: (tool: string, args: unknown, origins?: ToolOrigins) => string;
  /** The names that a matcher may use for one of our tools: those of a call, or all of them without its arguments. */
  readonly matchable: (tool: string, args: unknown, origins?: ToolOrigins) => readonly string[];
  /** The arguments of a call in the program's names and units. */
  readonly inputOf: (tool: string, args: unknown, place: ShellContext) => unknown;
  /**
   * The arguments of a call from a script's changed input; omitted keys keep their value when merged.
   * Returns a clause instead when the change is not supported.
   */
  readonly argumentsFrom: (tool: string, input: Fields, args: unknown, place: ShellContext) => Fields | string;
  /** The program's names of our tool, as a matcher has them; undefined for a tool of which it has no other name. */
  readonly namesOf: (tool: string) => string | undefined;
  /** Our tool that has this name there; undefined for any other name. */
  readonly toolNamed: (name: string) => string | undefined;
}

/** The names of a tool that no row has, the program's own first; for one of an MCP server with what is known of it. */
type OtherNames = (tool: string, mcp: McpToolName | undefined) => readonly string[];

/** Creates the translations of a table. */
export function createToolNames(table: ToolTable, others: OtherNames = same): ToolNames {
  const rowsOf = (tool: string) => (Object.hasOwn(table, tool) ? table[tool] : undefined);
  const rowFor = (tool: string, args: unknown) =>
    rowsOf(tool)?.find(({ when }) => when === undefined || (isMapping(args) && when(args)));

  function matchable(tool: string, args: unknown, origins?: ToolOrigins): readonly string[] {
    // The last row is the usual one.
    const rows =
      args === undefined ? rowsOf(tool)?.toReversed() : [rowFor(tool, args)].filter((row) => row !== undefined);
    if (rows === undefined || rows.length === 0) return others(tool, origins?.mcpTool?.(tool));
    return rows.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  }

  function inputOf(tool: string, args: unknown, place: ShellContext): unknown {
    const row = rowFor(tool, args);
    if (row === undefined || !isMapping(args)) return args;
    const { fields = {}, implied = [], whole } = row;
    if (whole !== undefined) return whole(args, place);
    const changed = Object.entries(fields).filter(([ours]) => Object.hasOwn(args, ours));
    const theirs = changed.map(([ours, field]) => [field.theirs, field.there?.(args[ours], place) ?? args[ours]]);
    // Ours come last: an argument that a model invents under one of their names must not hide the real one.
    const kept = Object.entries(args).filter(([key]) => !Object.hasOwn(fields, key) && !implied.includes(key));
    return { ...Object.fromEntries(kept), ...Object.fromEntries(theirs), ...promptOf(tool, args) };
  }

  function argumentsFrom(tool: string, input: Fields, args: unknown, place: ShellContext): Fields | string {
    const row = rowFor(tool, args);
    if (row === undefined) return input;
    const { fields = {}, foreign = [], whole } = row;
    if (whole !== undefined && isMapping(args)) return withoutChange(input, whole(args, place), row.name);
    const { prompt } = promptOf(tool, args);
    if (prompt !== undefined && input["prompt"] !== undefined && input["prompt"] !== prompt) {
      return 'its changed input has another prompt for several tasks at once; change "tasks" instead';
    }
    const byTheirs = new Map(Object.entries(fields).map(([ours, field]) => [field.theirs, { ours, ...field }]));
    const entries = Object.entries(input)
      .filter(([key]) => !foreign.includes(key) && !(key === "prompt" && prompt !== undefined))
      .map(([key, value]) => {
        const field = byTheirs.get(key);
        return field === undefined ? [key, value] : [field.ours, field.back === undefined ? value : field.back(value)];
      });
    return Object.fromEntries(entries) as Fields;
  }

  function toolNamed(name: string): string | undefined {
    return Object.keys(table).find((tool) => matchable(tool, undefined).includes(name));
  }

  return {
    nameOf: (tool, args, origins) => rowFor(tool, args)?.name ?? others(tool, origins?.mcpTool?.(tool))[0] ?? tool,
    matchable,
    inputOf,
    argumentsFrom,
    // A name that both have is right as it is.
    namesOf: (tool) =>
      rowsOf(tool) === undefined || toolNamed(tool) !== undefined ? undefined : matchable(tool, undefined).join("|"),
    toolNamed,
  };
}

function same(tool: string): readonly string[] {
  return [tool];
}

/** `mcp__server__tool`, with the hyphens that our own name has not; matchers may use ours, too. */
export function withUnderscores(tool: string, mcp: McpToolName | undefined): readonly string[] {
  if (mcp === undefined) return [tool];
  return [`mcp__${[mcp.server, mcp.tool].map((name) => name.replaceAll(/[^A-Za-z0-9_-]/g, "_")).join("__")}`, tool];
}

function withoutChange(input: Fields, shown: Fields, name: string): Fields | string {
  const changed = Object.keys(input).find((key) => input[key] !== shown[key]);
  return changed === undefined
    ? {}
    : `its changed input has another "${changed}", and a change of ${name} is not supported`;
}

/** Several tasks in one call are shown as one prompt, for scripts that search it for words. */
function promptOf(tool: string, args: unknown): { readonly prompt?: string } {
  if (tool !== "delegate_task" || !isMapping(args) || !Array.isArray(args["tasks"])) return {};
  const goals = [args["goal"], ...args["tasks"].map((task: unknown) => (isMapping(task) ? task["goal"] : undefined))];
  return { prompt: goals.filter((goal) => typeof goal === "string").join("\n\n") };
}

/** Guards compare paths as strings, so `../x` must not look like another file. */
export function absolutePath(value: unknown, { cwd, env }: ShellContext): unknown {
  if (typeof value !== "string" || value === "") return value;
  return resolve(cwd, expandHome(value, userHome(env)));
}

/** As a program writes it that names files of the project by their place in it, and others by their whole path. */
export function projectPath(value: unknown, place: ShellContext): unknown {
  const absolute = absolutePath(value, place);
  if (typeof absolute !== "string" || absolute === "") return absolute;
  const inside = relative(place.cwd, absolute);
  return inside === "" || inside === ".." || inside.startsWith("../") ? absolute : inside;
}

/** Seconds here, milliseconds there. */
export const MILLISECONDS: Field = {
  theirs: "timeout",
  there: (value) => (typeof value === "number" ? value * 1000 : value),
  back: (value) => (typeof value === "number" ? value / 1000 : value),
};

/** True for the arguments of a search for files by their names. */
export function seeksFiles(args: Fields): boolean {
  return args["target"] === "files";
}
