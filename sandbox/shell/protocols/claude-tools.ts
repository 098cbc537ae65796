/** Maps our tools and their arguments to Claude Code's names and fields, and back. */
import { resolve } from "node:path";
import { userHome } from "#core/home/paths";
import { isMapping } from "#core/mapping";
import type { ShellContext } from "#sandbox/shell/protocol";

type Fields = Readonly<Record<string, unknown>>;

interface Field {
  readonly theirs: string;
  readonly there?: (value: unknown, place: ShellContext) => unknown;
  readonly back?: (value: unknown) => unknown;
}

interface Translation {
  readonly name: string;
  /** A name that newer scripts use; matchers see both. */
  readonly alias?: string;
  /** Our fields that differ from theirs. All others are passed unchanged. */
  readonly fields: Readonly<Record<string, Field>>;
  /** Our fields that their tool name already implies. */
  readonly implied?: readonly string[];
  /** Their fields without a meaning here. */
  readonly foreign?: readonly string[];
}

/** Claude Code's paths are absolute, and guards compare them as strings: `../x` must not look like another file. */
const absolute: Required<Field>["there"] = (value, { cwd, env }) => {
  if (typeof value !== "string" || value === "") return value;
  return resolve(cwd, value === "~" || value.startsWith("~/") ? userHome(env) + value.slice(1) : value);
};
const FILE: Field = { theirs: "file_path", there: absolute };
const MILLISECONDS: Field = {
  theirs: "timeout",
  there: (value) => (typeof value === "number" ? value * 1000 : value),
  back: (value) => (typeof value === "number" ? value / 1000 : value),
};

const SEARCH = { fields: { path: { theirs: "path", there: absolute } }, implied: ["target"] };
const GREP: Translation = { name: "Grep", ...SEARCH };
const GLOB: Translation = { name: "Glob", ...SEARCH };

const TRANSLATIONS: ReadonlyMap<string, Translation> = new Map([
  [
    "terminal",
    {
      name: "Bash",
      fields: { timeout: MILLISECONDS },
      foreign: ["description", "run_in_background", "dangerouslyDisableSandbox"],
    },
  ],
  ["read_file", { name: "Read", fields: { path: FILE } }],
  ["write_file", { name: "Write", fields: { path: FILE } }],
  ["patch", { name: "Edit", fields: { path: FILE } }],
  ["search_files", GREP],
  [
    "delegate_task",
    {
      name: "Task",
      alias: "Agent",
      fields: { goal: { theirs: "prompt" } },
      foreign: ["description", "subagent_type", "model", "run_in_background"],
    },
  ],
]);

/** Our tool that has this name in Claude Code; undefined for any other name. */
export function toolOfClaudeName(name: string): string | undefined {
  return [...TRANSLATIONS.keys()].find((tool) => matchableNames(tool, undefined).includes(name));
}

/** Claude Code's names of our tool, as a matcher has them; undefined for a tool that it doesn't know. */
export function claudeNamesOf(tool: string): string | undefined {
  return TRANSLATIONS.has(tool) ? matchableNames(tool, undefined).join("|") : undefined;
}

/** The name of a tool in scripts. A tool unknown to Claude Code (`mcp__…`, from a plugin) keeps its name. */
export function claudeName(tool: string, args: unknown): string {
  return translationOf(tool, args)?.name ?? tool;
}

/** The names that a matcher may use for one of our tools: one for a call, all of them without its arguments. */
export function matchableNames(tool: string, args: unknown): readonly string[] {
  const translation = translationOf(tool, args);
  if (translation === undefined) return [tool];
  if (translation === GREP && args === undefined) return [GREP.name, GLOB.name];
  return translation.alias === undefined ? [translation.name] : [translation.name, translation.alias];
}

/** The arguments of a call in Claude Code's names and units. */
export function claudeInput(tool: string, args: unknown, place: ShellContext): unknown {
  const translation = translationOf(tool, args);
  if (translation === undefined || !isMapping(args)) return args;
  const { fields, implied = [] } = translation;
  const changed = Object.entries(fields).filter(([ours]) => Object.hasOwn(args, ours));
  const theirs = changed.map(([ours, field]) => [field.theirs, field.there?.(args[ours], place) ?? args[ours]]);
  // Ours come last: an argument that a model invents under one of their names must not hide the real one.
  const same = Object.entries(args).filter(([key]) => !Object.hasOwn(fields, key) && !implied.includes(key));
  return { ...Object.fromEntries(same), ...Object.fromEntries(theirs), ...promptOf(tool, args) };
}

/**
 * The arguments of a call from a script's `updatedInput`; omitted keys keep their value when merged.
 * Returns a clause instead when the change is not supported.
 */
export function ourInput(tool: string, input: Fields, args: unknown): Fields | string {
  const translation = translationOf(tool, args);
  if (translation === undefined) return input;
  const { prompt } = promptOf(tool, args);
  if (prompt !== undefined && input["prompt"] !== undefined && input["prompt"] !== prompt) {
    return 'its "updatedInput" changes the prompt of several tasks at once; change "tasks" instead';
  }
  const { fields, foreign = [] } = translation;
  const byTheirs = new Map(Object.entries(fields).map(([ours, field]) => [field.theirs, { ours, ...field }]));
  const entries = Object.entries(input)
    .filter(([key]) => !foreign.includes(key) && !(key === "prompt" && prompt !== undefined))
    .map(([key, value]) => {
      const field = byTheirs.get(key);
      return field === undefined ? [key, value] : [field.ours, field.back === undefined ? value : field.back(value)];
    });
  return Object.fromEntries(entries) as Fields;
}

function translationOf(tool: string, args: unknown): Translation | undefined {
  const translation = TRANSLATIONS.get(tool);
  return translation === GREP && isMapping(args) && args["target"] === "files" ? GLOB : translation;
}

/** Several tasks in one call are shown as one prompt, for scripts that search it for words. */
function promptOf(tool: string, args: unknown): { readonly prompt?: string } {
  if (tool !== "delegate_task" || !isMapping(args) || !Array.isArray(args["tasks"])) return {};
  const goals = [args["goal"], ...args["tasks"].map((task: unknown) => (isMapping(task) ? task["goal"] : undefined))];
  return { prompt: goals.filter((goal) => typeof goal === "string").join("\n\n") };
}
