/** The table of built-in slash commands. A surface provides a function for each of its own; everything else reads this. */
import { nearest } from "./suggest.ts";

/** `chat` is the terminal, `gateway` the messaging platforms. */
export type SlashSurface = "chat" | "gateway";

interface SlashCommandEntry {
  readonly surfaces: readonly SlashSurface[];
  readonly aliases?: readonly string[];
  /** How its arguments are written in the help. */
  readonly usage?: string;
  /** What it does, to follow the name. */
  readonly summary: string;
}

const BOTH = ["chat", "gateway"] as const;
const CHAT = ["chat"] as const;
const GATEWAY = ["gateway"] as const;

const SLASH_COMMANDS = {
  help: { surfaces: BOTH, summary: "show this help" },
  new: { surfaces: BOTH, aliases: ["reset", "clear"], summary: "start a new session" },
  stop: { surfaces: BOTH, summary: "stop the running turn" },
  status: { surfaces: BOTH, summary: "show the session, the model and what is running" },
  sessions: { surfaces: CHAT, summary: "list recent sessions" },
  resume: { surfaces: CHAT, usage: "[ID|latest]", summary: "continue another session; alone, choose from a list" },
  compact: { surfaces: BOTH, usage: "[WHAT TO KEEP]", summary: "summarize the older messages of this session" },
  cost: { surfaces: BOTH, summary: "show the tokens of this session's turns" },
  title: { surfaces: CHAT, usage: "[TEXT]", summary: "name this session" },
  retry: { surfaces: CHAT, summary: "send your last message again" },
  undo: { surfaces: CHAT, summary: "remove the last turn" },
  model: { surfaces: BOTH, usage: "[ID]", summary: "show the model, or switch to another of its provider" },
  reasoning: { surfaces: CHAT, usage: "[on|off]", summary: "show or hide the model's reasoning" },
  verbose: { surfaces: CHAT, usage: "[on|off]", summary: "show tool calls and results in full, or short" },
  tools: { surfaces: CHAT, summary: "list the model's tools" },
  hooks: { surfaces: CHAT, summary: "list the registered hooks" },
  history: { surfaces: CHAT, summary: "show the messages of this session" },
  quit: { surfaces: CHAT, aliases: ["exit"], summary: "exit (also Ctrl+D)" },
  tasks: { surfaces: BOTH, usage: "[ID|cancel ID]", summary: "list the newest tasks, show one, or cancel it" },
  approve: { surfaces: GATEWAY, usage: "[all]", summary: "run the tool call that waits, or all calls of its tool" },
  deny: { surfaces: GATEWAY, summary: "do not run the tool call that waits" },
  settings: { surfaces: GATEWAY, summary: "show the settings and how to change them" },
  start: { surfaces: GATEWAY, summary: "say what to do here" },
} as const satisfies Readonly<Record<string, SlashCommandEntry>>;

type Table = typeof SLASH_COMMANDS;

/** The names of a surface's commands, for its record of functions: one that is missing does not compile. */
export type SlashCommandName<Surface extends SlashSurface> = {
  [Name in keyof Table]: Surface extends Table[Name]["surfaces"][number] ? Name : never;
}[keyof Table];

const ENTRIES: readonly (readonly [name: string, SlashCommandEntry])[] = Object.entries(SLASH_COMMANDS);

/** The command that a word behind the slash means on a surface, aliases included. */
export function findSlashCommand<Surface extends SlashSurface>(
  surface: Surface,
  word: string,
): SlashCommandName<Surface> | undefined {
  const found = entriesOf(surface).find(([name, { aliases = [] }]) => name === word || aliases.includes(word));
  return found?.[0] as SlashCommandName<Surface> | undefined;
}

/** Every word that a surface takes behind the slash. */
export function slashWords(surface: SlashSurface): readonly string[] {
  return entriesOf(surface).flatMap(wordsOf);
}

/** Every word that a surface takes behind the slash, with what it does. */
export function slashSummaries(surface: SlashSurface): readonly (readonly [word: string, summary: string])[] {
  return entriesOf(surface).flatMap((entry) => wordsOf(entry).map((word) => [word, entry[1].summary] as const));
}

/** A surface's commands, each once under its first name. */
export function slashCommands(
  surface: SlashSurface,
): readonly { readonly name: string; readonly usage: string | undefined; readonly summary: string }[] {
  return entriesOf(surface).map(([name, { usage, summary }]) => ({ name, usage, summary }));
}

/** True for a word of any surface: plugins may not take it. */
export function isSlashWord(word: string): boolean {
  return ENTRIES.some((entry) => wordsOf(entry).includes(word));
}

/** The lines of a surface's help: the words with their arguments, and what they do. */
export function slashHelp(surface: SlashSurface): readonly (readonly [words: string, summary: string])[] {
  return entriesOf(surface).map((entry) => {
    const [, { usage, summary }] = entry;
    const words = wordsOf(entry).map((word) => `/${word}`);
    return [[...words, ...(usage === undefined ? [] : [usage])].join(" "), summary];
  });
}

/** What to say to a word that is no command: the nearest one of the surface's and of `others`, the plugins'. */
export function noSlashCommand(surface: SlashSurface, word: string, others: readonly string[]): string {
  const meant = nearest(word, [...slashWords(surface), ...others]);
  const hint = meant === undefined ? ' Send "/help" for a list.' : ` Did you mean "/${meant}"?`;
  return `There is no command "/${word}".${hint}`;
}

function entriesOf(surface: SlashSurface): typeof ENTRIES {
  return ENTRIES.filter(([, { surfaces }]) => surfaces.includes(surface));
}

function wordsOf([name, { aliases = [] }]: (typeof ENTRIES)[number]): readonly string[] {
  return [name, ...aliases];
}
