/** `hermes hooks test`: runs the shell hooks of an event as a conversation would, with a made-up payload. */
import { readFile } from "node:fs/promises";
import { text as readText } from "node:stream/consumers";
import type { Command } from "#cli/command-line/command";
import { openApprovals, type OpenApprovals } from "#allowlist/approvals";
import { approvedWithout, grantExplicitTest } from "#allowlist/decide";
import type { Consent, HookRequest } from "#allowlist/grant";
import { visible } from "#allowlist/visible";
import { scriptOf } from "#allowlist/words";
import { loadConfig } from "#core/home/config";
import { demandFor } from "#core/home/demands";
import { EXIT, HermesError, problemOf } from "#core/errors";
import { declarationOf, type EventName, type Payload } from "#core/events";
import { createFiring } from "#core/firing";
import type { Firing } from "#core/ports/hook";
import { userHome } from "#core/home/paths";
import { isMapping } from "#core/mapping";
import { parseHookEntries, type ShellEntry } from "#sandbox/shell/entries";
import { PROTOCOLS } from "#sandbox/shell/protocols";
import type { CliContext } from "#cli/context";
import { mcpOrigins } from "#cli/mcp-origins";
import { interruptible } from "#cli/shutdown";
import { wallsOfHooks } from "#cli/walls";
import { demandEvent } from "./event.ts";
import { testEntry, type TestResult } from "./run-entry.ts";

export interface TestOptions {
  readonly forTool?: string;
  readonly payloadFile?: string;
  readonly json?: true;
}

/** Runs the hooks one after another and prints what each did; exits with 1 if one failed, 130 on Ctrl+C. */
export async function testHooks(
  eventName: string,
  options: TestOptions,
  command: Command,
  context: CliContext,
): Promise<void> {
  const event = demandEvent(eventName);
  const paths = context.paths(command);
  const config = await loadConfig(paths, context.env);
  demandFor("hooks test", config);
  const { entries, warnings } = parseHookEntries(config.values.hooks, userHome(context.env));
  for (const warning of [...config.warnings, ...warnings]) context.warn(warning);
  if (options.forTool !== undefined && !declarationOf(event).tool) {
    context.warn(`${event} has no tool; --for-tool is ignored`);
  }
  const firing = createFiring(event, await makePayload(event, options));
  const { env, warn } = context;
  const wallFor = wallsOfHooks(config, { home: paths.home, env, note: warn });
  const shellContext = { cwd: process.cwd(), home: paths.home, env, wallFor, ...mcpOrigins(config) };
  const place = { cwd: shellContext.cwd, env: context.env };
  const approvals = openApprovals(paths.allowlist, config.values.hooks_consent, place);
  for (const warning of approvals.state().warnings) context.warn(warning);
  const results: TestResult[] = [];
  await interruptible(async (signal) => {
    for (const entry of entries.filter((each) => each.event === event)) {
      const decide = explainedGrant(entry, approvals, context);
      const result = await testEntry({ entry, firing, shellContext, signal, decide, warn: context.warn });
      if (signal.aborted) throw new HermesError("HERMES_INTERRUPTED", {});
      if (result !== undefined) results.push(result);
    }
  });
  const none = results.length === 0 ? describeNone(firing, entries) : undefined;
  const shown = results.map(({ coprocess: _shown, ...result }) => result);
  if (options.json) context.json({ event, results: shown });
  if (options.json && none !== undefined) context.note(none);
  if (!options.json) context.out(none ?? results.map(describe).join("\n\n"));
  if (results.some(({ error }) => error !== null)) context.exit(EXIT.failed);
}

/** Names the tool that was looked for, also as the protocols of the event's entries call it. */
function describeNone({ event, payload }: Firing, entries: readonly ShellEntry[]): string {
  const none = `No configured shell hook matches ${event}`;
  if (!declarationOf(event).tool) return `${none}.`;
  const { tool_name } = payload as { tool_name?: unknown };
  const tool = visible(String(tool_name));
  const names = new Set(entries.filter((each) => each.event === event).map(({ protocol }) => protocol));
  const others = [...names]
    .map((protocol) => [protocol, PROTOCOLS[protocol].toolNames([String(tool_name)])] as const)
    .filter(([, called]) => !called.includes(String(tool_name)))
    .map(([protocol, called]) => `; with protocol: ${protocol}, ${called.join(" or ")}`);
  return `${none} for the tool ${tool}${others.join("")}. Use --for-tool to name another one.`;
}

/**
 * The grant for this explicitly requested run. Where scripts are pinned, an approved script runs from its copy, as in a
 * conversation; another one runs unpinned, with a warning.
 */
function explainedGrant(
  entry: ShellEntry,
  approvals: OpenApprovals,
  context: CliContext,
): (request: HookRequest) => Consent {
  const { argv } = entry;
  let said = false;
  return (request) => {
    const missing = approvals.lacks(request) ?? [];
    if (missing.length > 0) {
      // A warning is shown once.
      const name = `${visible(request.command)} (${request.event})`;
      context.warn(`${name} runs only in this test: it was ${approvedWithout(missing)}`);
    }
    if (approvals.mode === "command" || argv === null) return grantExplicitTest(request);
    const found = approvals.examine(request, argv);
    const consent = approvals.decide(request);
    if (consent.granted && found.state === "unchanged") return consent;
    if (consent.granted && found.state !== "unchanged" && !said) {
      context.warn(`${visible(request.command)} (${request.event}) runs only in this test: ${found.problem}`);
      said = true;
    }
    return grantExplicitTest(request, scriptOf(argv, { cwd: process.cwd(), env: context.env }));
  };
}

/** The event's sample, for the tool that was asked for, under the keys of the file. Throws HERMES_PAYLOAD_INVALID. */
async function makePayload(event: EventName, { forTool, payloadFile }: TestOptions): Promise<Payload<EventName>> {
  const { sample, tool } = declarationOf(event);
  const named = tool && forTool !== undefined ? { tool_name: forTool } : {};
  return {
    ...sample(),
    ...named,
    ...(payloadFile === undefined ? {} : await readPayload(payloadFile)),
  } as Payload<EventName>;
}

async function readPayload(file: string): Promise<object> {
  let value: unknown;
  try {
    value = JSON.parse(await (file === "-" ? readText(process.stdin) : readFile(file, "utf8")));
  } catch (error) {
    throw new HermesError("HERMES_PAYLOAD_INVALID", { source: file, problem: problemOf(error) }, { cause: error });
  }
  if (isMapping(value)) return value;
  throw new HermesError("HERMES_PAYLOAD_INVALID", { source: file, problem: "expected a JSON object of payload keys" });
}

function describe(result: TestResult): string {
  const block = (title: string, text: string) => (text.trim() === "" ? [] : [`  ${title}`, indent(text)]);
  return [
    `${visible(result.command ?? "(an entry without a command)")}${result.protocol === "hermes" ? "" : ` (protocol ${result.protocol})`}`,
    `  ${endOf(result)}, ${Math.round(result.duration_ms)} ms`,
    ...block("stdout", result.stdout),
    ...block("stderr", result.stderr),
    ...(result.error === null ? [] : [`  error    ${visible(result.error)}`]),
    `  answer   ${result.answer === null ? "none" : visible(JSON.stringify(result.answer))}`,
  ].join("\n");
}

function endOf({ coprocess, exit_code }: TestResult): string {
  if (coprocess) return "coprocess, with its start";
  return exit_code === null ? "no exit code" : `exit code ${exit_code}`;
}

function indent(text: string): string {
  const lines = text.trimEnd().split("\n");
  const more = lines.length > 20 ? [`    … (${lines.length - 20} more lines)`] : [];
  return [...lines.slice(0, 20).map((line) => `    ${visible(line.slice(0, 500))}`), ...more].join("\n");
}
