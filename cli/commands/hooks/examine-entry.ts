/** Finds problems of one configured shell hook; its script runs only if it is approved. */
import { allowCommand, approvedWithout } from "#allowlist/decide";
import { visible } from "#allowlist/visible";
import { scriptOf, type LookupContext } from "#allowlist/words";
import { declarationOf, eventsWhere, type Payload } from "#core/events";
import { createFiring } from "#core/firing";
import { mcpToolName } from "#core/mcp-names";
import type { Firing } from "#core/ports/hook";
import { readRegularFile } from "#core/regular-file";
import { nearest } from "#core/suggest";
import { translateForeignNames, type ShellEntry } from "#sandbox/shell/entries";
import type { ShellHookDependencies } from "#sandbox/shell/hook";
import { PROTOCOLS } from "#sandbox/shell/protocols";
import { requestOf } from "#sandbox/shell/request";
import { findForeignSigns, findForeignTool } from "./foreign-signs.ts";
import { findExecutableProblem } from "./examine-start.ts";
import type { ListedHook } from "./listed-hook.ts";
import { testEntry, type TestResult } from "./run-entry.ts";

export interface Findings {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

/** What the run of the script gave; all null when it was not run. */
export interface SampleRun {
  readonly exit_code: number | null;
  readonly duration_ms: number | null;
  readonly answer: unknown;
}

export interface Examination {
  readonly place: LookupContext;
  readonly shellContext: ShellHookDependencies["shellContext"];
  /** The names of the configured MCP servers. */
  readonly mcpServers: readonly string[];
  readonly decide: ShellHookDependencies["decide"];
  /** Known tools by name; `off` are those of plugins that are not enabled. */
  readonly tools: { readonly known: readonly string[]; readonly off: readonly string[] };
  readonly signal: AbortSignal;
  /** False in safe mode: no script runs. */
  readonly run: boolean;
}

/** Runs all checks on an entry; `listed` is its element of `hermes hooks list`. */
export async function examineEntry(
  entry: ShellEntry,
  listed: ListedHook,
  examination: Examination,
): Promise<Findings & SampleRun> {
  const notRun: SampleRun = { exit_code: null, duration_ms: null, answer: null };
  if (!entry.enabled) return { problems: [], notes: ["It is disabled (enabled: false)."], ...notRun };
  if (entry.problem !== null) return { problems: [], notes: [], ...notRun };
  const matching = examineMatcher(entry, examination);
  const consent = examineConsent(entry, listed);
  const script = examineScript(entry, examination.place);
  const found: Findings = {
    problems: [...consent.problems, ...matching.problems, ...script.problems],
    notes: [...consent.notes, ...matching.notes, ...script.notes],
  };
  const start =
    listed.drift === "missing"
      ? null
      : findExecutableProblem(entry.throughShell ? ["sh"] : (entry.argv ?? []), examination.place);
  const run = listed.allowed && examination.run ? await runSample(entry, matching.tool, examination) : undefined;
  if (run === undefined) {
    const problems = start === null ? found.problems : [...found.problems, sentence(start)];
    return { problems, notes: found.notes, ...notRun };
  }
  const { exit_code, duration_ms, answer } = run;
  const judged = judgeRun(entry, run, matching.tool);
  return {
    problems: [...found.problems, ...judged.problems],
    notes: [...found.notes, ...judged.notes],
    exit_code,
    duration_ms,
    answer,
  };
}

function examineConsent(entry: ShellEntry, listed: ListedHook): Findings {
  const { allowed, approved_at, approved_without: missing = [], drift, fail_closed } = listed;
  const problems: string[] = [];
  const cure = visible(allowCommand(requestOf(entry)));
  const blocks = entry.failClosed ? ", and blocks every call that it matches (fail_closed)" : "";
  const pinned = !allowed && missing.length === 0 && approved_at !== null && drift === "modified";
  if (pinned)
    problems.push(
      `Its script changed since you approved it and is pinned, so it does not run${blocks}. Review the script, then run: ${cure}`,
    );
  else if (missing.length > 0)
    problems.push(`It is ${approvedWithout(missing)}, so it does not run${blocks}. To approve that, run: ${cure}`);
  else if (!allowed) problems.push(`It is not approved, so it does not run${blocks}. To approve it, run: ${cure}`);
  if (drift === "missing") problems.push("Its script does not exist. Restore it or change the command.");
  if (drift === "modified" && !pinned) {
    problems.push(
      `Its script changed since you approved it. Review the script, then run hermes hooks revoke and ${cure}`,
    );
  }
  const open = declarationOf(entry.event).onFailure === "mark" && !fail_closed;
  return {
    problems,
    notes: [
      ...(open ? ["If this guard fails, the call is allowed. Set fail_closed: true to block instead."] : []),
      ...(listed.unpinned ? [listed.unpinned] : []),
    ],
  };
}

/** A tool that the entry matches, if there is one, and what is wrong with its matcher. */
function examineMatcher(entry: ShellEntry, examination: Examination): Findings & { readonly tool: string | undefined } {
  const { known, off } = examination.tools;
  if (!declarationOf(entry.event).tool) return { tool: undefined, problems: [], notes: [] };
  // Which commands a matcher of commands is for, the sample cannot know.
  const matches = (name: string) =>
    entry.toolMatcher.matches(name, entry.toolMatcher.subject === undefined ? { ...SAMPLE_ARGS[name] } : undefined);
  const tool = known.find(matches);
  if (tool !== undefined) return { tool, problems: [], notes: strayNames(entry, [...known, ...off]) };
  const sample = { tool: undefined, notes: [] };
  if (entry.matcher === null) return { ...sample, problems: [] };
  if (entry.matcher.includes("mcp_")) return examineMcpMatcher(entry, examination);
  // The configuration's own warning says so already.
  if (translateForeignNames(entry.matcher, entry.protocol) !== undefined) return { ...sample, problems: [] };
  const waiting = off.find(matches);
  if (waiting !== undefined) {
    return {
      ...sample,
      problems: [],
      notes: [`Its matcher matches only ${waiting}, a tool of a plugin that is not enabled.`],
    };
  }
  const names = PROTOCOLS[entry.protocol].toolNames(known);
  return {
    ...sample,
    problems: [
      `Its matcher ${visible(entry.matcher)} matches no known tool.${hintFor(entry, names)} Known tools: ${names.join(", ")}.`,
    ],
  };
}

/** Which tools a server has is known only while it runs, so a matcher that fits no configured one is a note. */
function examineMcpMatcher(
  { matcher, toolMatcher }: ShellEntry,
  { mcpServers, shellContext }: Examination,
): Findings & { readonly tool: string | undefined } {
  const examples = mcpServers.map((server) => mcpToolName({ server, tool: "example" }));
  const tool = examples.find((name) => toolMatcher.matches(name, {}, shellContext));
  const words = matcher?.match(/mcp_\w*/g) ?? [];
  const fits = (word: string, server: string) =>
    [`mcp_${server}_`, `mcp__${server}__`].some((start) => start.startsWith(word) || word.startsWith(start));
  const names = mcpServers.map((server) => server.replaceAll(/\W/g, "_"));
  const isStrange = tool === undefined && !words.some((word) => names.some((server) => fits(word, server)));
  const notes =
    names.length > 0 && isStrange
      ? [`Its matcher fits no tool of a configured MCP server. Configured: ${mcpServers.map(visible).join(", ")}.`]
      : [];
  return { tool, problems: [], notes };
}

/** Names in a list of alternatives that are not tools. The others still match, so these are notes. */
function strayNames(entry: ShellEntry, known: readonly string[]): readonly string[] {
  const names = entry.protocol === "hermes" ? (entry.matcher?.split("|") ?? []) : [];
  if (!names.every((name) => /^\w+$/.test(name))) return [];
  return names
    .filter((name) => !known.includes(name) && !name.startsWith("mcp_"))
    .map((name) => `Its matcher contains ${name}, which is not a known tool.${suggest(name, known)}`);
}

function hintFor({ matcher, protocol }: ShellEntry, known: readonly string[]): string {
  const words = matcher?.match(/\w+/g) ?? [];
  const foreign = words.map((word) => findForeignTool(word, known)).filter((tool) => tool !== undefined);
  const [first] = foreign;
  if (first !== undefined && protocol === "hermes") {
    const tools = new Set(foreign.map(({ tool }) => tool));
    return ` These are ${first.owner}'s names. Use ${[...tools].join("|")}, or set protocol: ${first.protocol} if the script was written for ${first.owner}.`;
  }
  return words.length === 1 ? suggest(words[0] ?? "", known) : "";
}

function suggest(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return meant === undefined ? "" : ` Did you mean "${meant}"?`;
}

const MOST_READ_BYTES = 256 * 1024;

/** Under the plain protocol, a script that tests for another program's names would silently allow everything. */
function examineScript(entry: ShellEntry, place: LookupContext): Findings {
  if (entry.protocol !== "hermes" || entry.argv === null) return { problems: [], notes: [] };
  const path = scriptOf(entry.argv, place);
  const found = findForeignSigns(`${entry.command ?? ""}\n${path === null ? "" : readText(path)}`);
  if (found === undefined) return { problems: [], notes: [] };
  const { owner, protocol, signs } = found;
  return {
    problems: [
      `It seems to be written for ${owner} (it has ${signs.join(", ")}), so it would silently allow everything. Set protocol: ${protocol} in the entry, or use hermes's names.`,
    ],
    notes: [],
  };
}

/** A script's text; empty for programs and for missing or unreadable files, which other checks report. */
function readText(path: string): string {
  const reading = readRegularFile(path, { mostBytes: MOST_READ_BYTES });
  const text = reading.kind === "read" ? reading.content.toString("utf8") : "";
  return text.includes("\0") ? "" : text;
}

async function runSample(
  entry: ShellEntry,
  tool: string | undefined,
  { decide, shellContext, signal }: Examination,
): Promise<TestResult | undefined> {
  if (declarationOf(entry.event).tool && tool === undefined && entry.matcher !== null) return undefined;
  return testEntry({ entry, firing: sampleFiring(entry, tool), shellContext, signal, decide });
}

const EXIT_TWO = eventsWhere(({ exitTwoBlocks }) => exitTwoBlocks);

function judgeRun(entry: ShellEntry, run: TestResult, tool: string | undefined): Findings {
  const problems: string[] = [];
  const notes: string[] = [];
  const { kind } = declarationOf(entry.event);
  const look = `hermes hooks test ${entry.event}${tool === undefined ? "" : ` --for-tool ${tool}`}`;
  if (run.error !== null)
    problems.push(`${visible(run.error).replace(/[^.!?]$/, "$&.")} To see its output, run: ${look}`);
  if (run.error !== null && run.exit_code === 2) notes.push(`Exit code 2 blocks only on ${EXIT_TWO.join(", ")}.`);
  const says = run.stdout.replace(/^\uFEFF/, "").trim();
  const ignored =
    says !== "" && says !== "null" && !/^\{\s*\}$/.test(says) && run.answer === null && kind !== "observe";
  if (run.error === null && ignored)
    notes.push(`Its answer to the sample has no effect for this event: ${visible(says.slice(0, 200))}`);
  const action = (run.answer as { readonly action?: unknown } | null)?.action;
  if (action === "block" && run.error === null) notes.push(`It blocked the sample call${tool ? ` of ${tool}` : ""}.`);
  const seconds = run.duration_ms / 1000;
  if (run.error === null && seconds > entry.timeoutSeconds / 2) {
    notes.push(`It took ${seconds.toFixed(1)} s; its timeout is ${entry.timeoutSeconds} s.`);
  } else if (run.error === null && seconds > 1 && !entry.background && !entry.coprocess) {
    notes.push(`It took ${seconds.toFixed(1)} s; each turn waits for it.`);
  }
  return { problems, notes };
}

/** Sample arguments of a tool; their files do not exist. */
const SAMPLE_ARGS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  terminal: { command: "echo hello" },
  read_file: { path: "hermes-doctor-sample.txt" },
  write_file: { path: "hermes-doctor-sample.txt", content: "hello\n" },
  patch: { path: "hermes-doctor-sample.txt", old_string: "hello", new_string: "goodbye" },
  search_files: { pattern: "hello" },
  delegate_task: { goal: "Say hello" },
};

function sampleFiring({ event }: ShellEntry, tool: string | undefined): Firing {
  const { sample } = declarationOf(event);
  const named = tool === undefined ? {} : { tool_name: tool, args: { ...SAMPLE_ARGS[tool] } };
  return createFiring(event, { ...sample(), ...named } as Payload<typeof event>);
}

function sentence(clause: string): string {
  return `It cannot be started: ${visible(clause)}.`;
}
