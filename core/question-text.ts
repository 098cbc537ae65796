/** A question about a tool call as lines of text, the same on every surface. */
import type { CallQuestion } from "./ports/question.ts";
import { stringify } from "./stringify.ts";

/** A line of a question. */
export interface QuestionLine {
  readonly text: string;
  /** How far its further rows are indented where it does not fit in one, so that they look like no other line. */
  readonly hang: number;
  /** What it is a part of, for surfaces with colours. */
  readonly kind: "title" | "label" | "text" | "removed" | "added";
}

/** Of an argument with one line, in characters. */
const MOST_SHOWN = 2000;
/** Of each line of an argument with several. */
const MOST_OF_LINE = 400;
/** Where a line is longer, the last part of what is shown is its end. */
const END_SHARE = 4;
/** Of an argument with many lines. */
const MOST_LINES = 14;
const LAST_LINES = 4;
/** Of a call with many or long arguments, in characters. */
const MOST_OF_CALL = 8000;
/** Where the text behind a label begins. */
const LABELED = 11;
const ARGUMENT = 4;
/** Of the blanks before a line; more of them, or of those in it, could hide what follows. */
const MOST_INDENT = 40;
const GAP = / {40,}/g;

type Args = CallQuestion["args"];
type Lines = readonly string[];

interface Part {
  /** The arguments that it shows. */
  readonly names: readonly string[];
  readonly lines: readonly string[];
  readonly isChange?: boolean;
}

/** What the built-in tools show with a label of their own. A text that is missing or no text has none. */
const LABELS: Readonly<Record<string, (args: Args) => Readonly<Record<string, Part | undefined>>>> = {
  terminal: (args) => ({ command: textOf(args, "command") }),
  write_file: (args) => ({ path: textOf(args, "path"), text: textOf(args, "content") }),
  patch: (args) => ({ path: textOf(args, "path"), change: changeOf(args) }),
};

/**
 * Describes a call and who asks about it. `clean` escapes whatever could hide something or begin a line: no text but
 * hermes's own comes without it. Long texts keep their beginning and their end, so that a command cannot hide its last
 * part behind a cut.
 */
export function describeCall(question: CallQuestion, clean: (text: string) => string): readonly QuestionLine[] {
  const { tool, args, agent, reasons } = question;
  const label = (name: string, text: string) => labeled(name, [text], clean);
  return [
    { text: "A hook wants your approval for this tool call:", hang: 0, kind: "title" },
    ...label("tool", tool),
    ...within(MOST_OF_CALL, argumentLines(tool, args, clean)),
    ...(agent === null ? [] : label("agent", `${agent} (a child agent)`)),
    ...reasons.flatMap(({ message, hook }) => [
      ...(message === "" ? [] : label("reason", message)),
      ...label("hook", hook?.command ?? hook?.name ?? "?"),
    ]),
  ];
}

/** The arguments that matter under their labels, each of the others as `name: value`. */
function argumentLines(tool: string, args: Args, clean: (text: string) => string): readonly QuestionLine[] {
  const parts = Object.entries(Object.hasOwn(LABELS, tool) ? LABELS[tool]!(args) : {});
  const isShown = new Set(parts.flatMap(([, part]) => part?.names ?? []));
  const others = Object.entries(args).filter(([name]) => !isShown.has(name));
  return [
    ...parts.flatMap(([name, part]) => (part === undefined ? [] : shown(name, part, clean))),
    ...others.flatMap(([name, value]) => named(name, value, clean)),
  ];
}

function shown(name: string, { lines, isChange }: Part, clean: (text: string) => string): readonly QuestionLine[] {
  const all = labeled(name, lines, clean);
  if (isChange !== true) return all;
  const kindOf = (text: string) =>
    /^ +\u2502 -/.test(text) ? "removed" : /^ +\u2502 \+/.test(text) ? "added" : undefined;
  return all.map((line) => ({ ...line, kind: kindOf(line.text) ?? line.kind }));
}

/** `  name     text`; several lines have a bar each, so that none looks like a label. */
function labeled(name: string, lines: readonly string[], clean: (text: string) => string): readonly QuestionLine[] {
  const title = `  ${name}`.padEnd(LABELED);
  const only = lines.length === 1 ? shorten(lines[0]!, MOST_SHOWN, clean) || "(empty)" : `${lines.length} lines`;
  return [{ text: title + only, hang: LABELED, kind: "label" }, ...(lines.length === 1 ? [] : block(lines, clean))];
}

function named(name: string, value: unknown, clean: (text: string) => string): readonly QuestionLine[] {
  const title = `${" ".repeat(ARGUMENT)}${clean(cut(name, MOST_OF_LINE))}: `;
  const lines = typeof value === "string" ? linesOf(value) : [stringify(value)];
  const only = lines.length === 1 ? shorten(lines[0]!, MOST_SHOWN, clean) : `${lines.length} lines`;
  return [{ text: title + only, hang: ARGUMENT + 2, kind: "text" }, ...(lines.length === 1 ? [] : block(lines, clean))];
}

function block(lines: readonly string[], clean: (text: string) => string): readonly QuestionLine[] {
  const indent = " ".repeat(ARGUMENT);
  const row = (line: string): QuestionLine => ({
    text: `${indent}│ ${shorten(line, MOST_OF_LINE, clean)}`,
    hang: ARGUMENT + 4,
    kind: "text",
  });
  if (lines.length <= MOST_LINES) return lines.map(row);
  const left = lines.length - MOST_LINES;
  return [
    ...lines.slice(0, MOST_LINES - LAST_LINES).map(row),
    { text: `${indent}… ${left} more ${left === 1 ? "line" : "lines"} …`, hang: ARGUMENT + 2, kind: "label" },
    ...lines.slice(-LAST_LINES).map(row),
  ];
}

function textOf(args: Args, name: string): Part | undefined {
  const text = args[name];
  return typeof text === "string" ? { names: [name], lines: linesOf(text) } : undefined;
}

/** What a patch takes out and puts in, without the lines that stay the same at both ends. */
function changeOf({ old_string: before, new_string: after }: Args): Part | undefined {
  if (typeof before !== "string" || typeof after !== "string") return undefined;
  // What differs may be the line end at the end.
  const isSame = before.endsWith("\n") === after.endsWith("\n");
  const [removed, added] = [before, after].map((text) => (isSame ? linesOf(text) : text.split("\n"))) as [Lines, Lines];
  let first = 0;
  while (first < Math.min(removed.length, added.length) && removed[first] === added[first]) first++;
  let last = 0;
  while (last < Math.min(removed.length, added.length) - first && removed.at(-1 - last) === added.at(-1 - last)) last++;
  const lines = [
    ...removed.slice(0, first).map((line) => `  ${line}`),
    ...removed.slice(first, removed.length - last).map((line) => `- ${line}`),
    ...added.slice(first, added.length - last).map((line) => `+ ${line}`),
    ...removed.slice(removed.length - last).map((line) => `  ${line}`),
  ];
  return { names: ["old_string", "new_string"], lines, isChange: true };
}

/** A line end at the end of a text begins no line. */
function linesOf(text: string): readonly string[] {
  return text.replace(/\n$/, "").split("\n");
}

/** Tabs indent code; anything else that could hide something is escaped. */
function shorten(line: string, most: number, clean: (text: string) => string): string {
  const [indent] = /^[ \t]*/.exec(line.slice(0, MOST_INDENT))!;
  const text = clean(cut(line.slice(indent.length), most)).replaceAll(GAP, ({ length }) => ` … (${length} blanks) … `);
  return indent.replaceAll("\t", "    ") + text;
}

/** A long text keeps its beginning and its end. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = most / END_SHARE;
  return `${text.slice(0, most - end)} … (${text.length - most} more characters) … ${text.slice(-end)}`;
}

/** The first of the lines that have at most so many characters together, and a note about the others. */
function within(most: number, lines: readonly QuestionLine[]): readonly QuestionLine[] {
  let length = 0;
  const end = lines.findIndex(({ text }) => (length += text.length) > most);
  if (end === -1) return lines;
  const left = lines.length - end;
  const text = `${" ".repeat(ARGUMENT)}… ${left} more ${left === 1 ? "line" : "lines"} of arguments …`;
  return [...lines.slice(0, end), { text, hang: ARGUMENT + 2, kind: "label" }];
}
