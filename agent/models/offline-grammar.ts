/** The phrases that the offline model understands (CONTRACT §3, "The offline model"). */

/** One requested tool call. `input` is JSON text, or whatever was written in its place. */
export interface PlannedCall {
  readonly tool: string;
  readonly input: string;
}

/** Calls that are made together, in one answer of the model. */
export type PlannedStep = readonly PlannedCall[];

interface Match {
  readonly call: PlannedCall;
  readonly end: number;
}

/** Where an action may start: a line with @ or $, a command in backticks, or one of the verbs. */
const START = /^[ \t]*@(?=\w)|^[ \t]*\$[ \t]|`\$[ \t]|\b(?:run|read|show|write|replace|search|delegate)\b/gim;

const QUOTED = String.raw`("(?:[^"\\]|\\[^])*"|\u201C[^\u201D]*\u201D|'(?:[^'\\]|\\[^])*')`;
const PATH = String.raw`("(?:[^"\\]|\\[^])*"|\u201C[^\u201D]*\u201D|'[^'\n]*'|${"`"}[^${"`"}\n]+${"`"}|[^\s"'${"`"}\u201C]\S*)`;

const AT = /[ \t]*@([\w.:-]+)[ \t]*(.*)/y;
const DOLLAR_LINE = /[ \t]*\$[ \t]+(.+)/y;
const DOLLAR_SPAN = /`\$[ \t]+([^`]+)`/y;
const RUN = /run\s+`([^`]+)`/iy;
const READ = new RegExp(String.raw`(?:read|show)\s+(?:the\s+)?(?:file\s+)?${PATH}`, "iy");
const WRITE = new RegExp(String.raw`write\s+${QUOTED}\s+to\s+${PATH}`, "iy");
const REPLACE = new RegExp(String.raw`replace\s+${QUOTED}\s+with\s+${QUOTED}\s+in\s+${PATH}`, "iy");
const SEARCH = new RegExp(String.raw`search\s+(?:for\s+)?${QUOTED}(?:\s+in\s+${PATH})?`, "iy");
const DELEGATE = new RegExp(String.raw`delegate\s+${QUOTED}`, "iy");

/** Words that follow "read" or "show" in ordinary text and are not paths. */
const NO_PATHS = new Set(
  (
    "a about again all and any by carefully every everything first for from his her how in it its me more my next no " +
    "nothing of off on only or our out over please some something that the their them these this those through to " +
    "under until up us what when where which who why with you your"
  ).split(" "),
);

/**
 * The steps in a message, in order of appearance. Consecutive lines `@TOOL {json}` are one step; every plain action
 * is its own step. A line `@NAME …` is a call when NAME is one of `tools` or the rest starts like JSON; otherwise it
 * is a mention. Never throws; text without actions gives no steps.
 */
export function parseOfflineMessage(words: string, tools: Iterable<string> = []): PlannedStep[] {
  const known = new Set(tools);
  const steps: PlannedCall[][] = [];
  let position = 0;
  /** Where the last @ line ended, if only a line break has followed since. */
  let atLineEnd = -1;
  for (;;) {
    START.lastIndex = position;
    const start = START.exec(words);
    if (start === null) return steps;
    const isAtLine = start[0].endsWith("@");
    const match = isAtLine ? matchAt(words, start.index, known) : matchPlain(words, start.index);
    if (match === undefined) {
      position = start.index + start[0].length;
      continue;
    }
    const joins = isAtLine && atLineEnd !== -1 && /^\r?\n$/.test(words.slice(atLineEnd, start.index));
    if (joins) steps.at(-1)?.push(match.call);
    else steps.push([match.call]);
    position = match.end;
    atLineEnd = isAtLine ? match.end : -1;
  }
}

function matchAt(words: string, index: number, known: ReadonlySet<string>): Match | undefined {
  const found = execAt(AT, words, index);
  const [, tool, rest] = found ?? [];
  if (found === null || tool === undefined) return undefined;
  const input = (rest ?? "").trim();
  if (!/^[[{]/.test(input) && !known.has(tool)) return undefined;
  return { call: { tool, input: input === "" ? "{}" : input }, end: index + found[0].replace(/\r$/, "").length };
}

/** Every form except the @ line, each with its tool call. */
const FORMS: readonly [RegExp, (groups: readonly string[]) => PlannedCall | undefined][] = [
  [DOLLAR_LINE, ([command]) => call("terminal", { command: command?.trim() })],
  [DOLLAR_SPAN, ([command]) => call("terminal", { command: command?.trim() })],
  [RUN, ([command]) => call("terminal", { command })],
  [READ, ([path]) => (isPath(path) ? call("read_file", { path: unquotePath(path) }) : undefined)],
  [WRITE, ([content, path]) => call("write_file", { path: unquotePath(path), content: unquote(content) })],
  [
    REPLACE,
    ([before, after, path]) =>
      call("patch", { path: unquotePath(path), old_string: unquote(before), new_string: unquote(after) }),
  ],
  [
    SEARCH,
    ([pattern, path]) =>
      call("search_files", {
        pattern: unquote(pattern),
        ...(path === undefined ? {} : { path: unquotePath(path) }),
      }),
  ],
  [DELEGATE, ([goal]) => call("delegate_task", { goal: unquote(goal) })],
];

function matchPlain(words: string, index: number): Match | undefined {
  for (const [form, meaning] of FORMS) {
    const found = execAt(form, words, index);
    if (found === null) continue;
    const planned = meaning(found.slice(1));
    if (planned !== undefined) return { call: planned, end: index + found[0].length };
  }
  return undefined;
}

function execAt(pattern: RegExp, text: string, index: number): RegExpExecArray | null {
  pattern.lastIndex = index;
  return pattern.exec(text);
}

function call(tool: string, args: Readonly<Record<string, string | undefined>>): PlannedCall {
  return { tool, input: JSON.stringify(args) };
}

function isPath(word: string | undefined): boolean {
  return word !== undefined && !NO_PATHS.has(word.toLowerCase().replace(/[^a-z]+$/, ""));
}

/** A path in quotes or backticks, or a bare word without the punctuation of the sentence around it. */
function unquotePath(path: string | undefined): string {
  if (path === undefined) return "";
  if (path.startsWith("`") && path.endsWith("`") && path.length > 1) return path.slice(1, -1);
  if (/^["'\u201C]/.test(path)) return unquote(path);
  return path.replace(/[,;:!?)\]]+$/, "").replace(/(?<=[^./])\.+$/, "");
}

/** The text between the quotes; a backslash escapes as in JSON, and is literal before anything else. */
function unquote(quoted: string | undefined): string {
  if (quoted === undefined) return "";
  return quoted.slice(1, -1).replaceAll(/\\([nrt"'\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
