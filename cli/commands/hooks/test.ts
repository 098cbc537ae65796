/** `hermes hooks test`: runs the shell hooks of an event as a conversation would, with a made-up payload. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { grantExplicitTest } from "#allowlist/decide";
import { visible } from "#allowlist/visible";
import type { Decision } from "#core/answers";
import { attempt } from "#core/attempt";
import { loadConfig } from "#core/config";
import { EXIT, HermesError, isHermesError, problemOf } from "#core/errors";
import { declarationOf, type EventName, type Payload } from "#core/events";
import { createFiring } from "#core/firing";
import { userHome } from "#core/paths";
import type { Firing } from "#core/ports";
import { verdictOf } from "#core/verdict";
import { parseHookEntries, type ShellEntry } from "#sandbox/shell/entries";
import { createShellHook } from "#sandbox/shell/hook";
import type { ShellSurroundings } from "#sandbox/shell/run";
import type { CliContext } from "#cli/context";
import { demandEvent } from "./event.ts";

export interface TestOptions {
  readonly forTool?: string;
  readonly payloadFile?: string;
  readonly json?: true;
}

interface TestResult {
  readonly command: string | null;
  readonly exit_code: number | null;
  readonly duration_ms: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timed_out: boolean;
  /** What went wrong, as a sentence, else null. */
  readonly error: string | null;
  /** What the answer means, in the words of a plugin; null for no contribution. */
  readonly answer: unknown;
}

/** Runs the hooks one after another and prints what each did; ends with 1 when one went wrong, 130 on Ctrl+C. */
export async function testHooks(
  eventName: string,
  options: TestOptions,
  command: Command,
  context: CliContext,
): Promise<void> {
  const event = demandEvent(eventName);
  const paths = context.paths(command);
  const config = await loadConfig(paths, context.env);
  const { entries, warnings } = parseHookEntries(config.values.hooks, userHome(context.env));
  for (const warning of [...config.warnings, ...warnings]) context.warn(warning);
  if (options.forTool !== undefined && !declarationOf(event).tool) {
    context.warn(`${event} is not about a tool; --for-tool is ignored`);
  }
  const firing = createFiring(event, makePayload(event, options));
  const surroundings = { cwd: process.cwd(), home: paths.home, env: context.env };
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  process.once("SIGINT", interrupt);
  const results: TestResult[] = [];
  for (const entry of entries.filter((each) => each.event === event)) {
    const result = await testEntry(entry, firing, surroundings, controller.signal);
    if (controller.signal.aborted) throw new HermesError("HERMES_INTERRUPTED", {});
    if (result !== undefined) results.push(result);
  }
  process.off("SIGINT", interrupt);
  if (options.json) context.json({ event, results });
  else
    context.out(
      results.length === 0
        ? `No shell hook is configured that matches ${event} here.`
        : results.map(describe).join("\n\n"),
    );
  if (results.some(({ error }) => error !== null)) context.exit(EXIT.failed);
}

/** One hook through the production path, alone, so that the block of another does not keep it from running. */
async function testEntry(
  entry: ShellEntry,
  firing: Firing,
  surroundings: ShellSurroundings,
  signal: AbortSignal,
): Promise<TestResult | undefined> {
  let output = { stdout: "", stderr: "" };
  const hook = createShellHook(entry, {
    decide: grantExplicitTest,
    surroundings,
    onResult: (_entry, { stdout, stderr }) => {
      output = { stdout, stderr };
    },
  });
  if (!hook.matches(firing)) return undefined;
  const attempted = await attempt(hook, firing, signal, performance.now());
  const { decision, outcome, cause, detail } = verdictOf(hook, firing, attempted);
  const failure = attempted.failure ?? attempted.reply?.failure;
  const failed = failure !== undefined || cause !== null || outcome === "error" || outcome === "timeout";
  return {
    command: entry.command,
    exit_code: attempted.reply?.exit_code ?? null,
    duration_ms: Math.round((attempted.ended - attempted.started) * 1000) / 1000,
    ...output,
    timed_out: isHermesError(failure) && failure.code === "HERMES_HOOK_TIMEOUT",
    error: failed ? (detail ?? "It failed.") : null,
    answer: answerOf(decision),
  };
}

/** The event's sample, for the tool that was asked for, under the keys of the file. Throws HERMES_PAYLOAD_INVALID. */
function makePayload(event: EventName, { forTool, payloadFile }: TestOptions): Payload<EventName> {
  const { sample, tool } = declarationOf(event);
  const named = tool && forTool !== undefined ? { tool_name: forTool } : {};
  return {
    ...sample(),
    ...named,
    ...(payloadFile === undefined ? {} : readPayload(payloadFile)),
  } as Payload<EventName>;
}

function readPayload(file: string): object {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8"));
  } catch (error) {
    throw new HermesError("HERMES_PAYLOAD_INVALID", { source: file, problem: problemOf(error) }, { cause: error });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new HermesError("HERMES_PAYLOAD_INVALID", { source: file, problem: "expected a JSON object of payload keys" });
}

function answerOf(decision: Decision): unknown {
  switch (decision.kind) {
    case "pass":
      return null;
    case "context":
      return { context: decision.text };
    case "transform":
      return { text: decision.text };
    case "allow":
    case "block":
    case "modify":
    case "skip":
    case "rewrite": {
      const { kind: action, ...rest } = decision;
      return { action, ...rest };
    }
  }
}

function describe(result: TestResult): string {
  const block = (title: string, text: string) => (text.trim() === "" ? [] : [`  ${title}`, indent(text)]);
  return [
    visible(result.command ?? "(an entry without a command)"),
    `  ${result.exit_code === null ? "no exit code" : `exit code ${result.exit_code}`}, ${Math.round(result.duration_ms)} ms`,
    ...block("stdout", result.stdout),
    ...block("stderr", result.stderr),
    ...(result.error === null ? [] : [`  error    ${visible(result.error)}`]),
    `  answer   ${result.answer === null ? "none" : visible(JSON.stringify(result.answer))}`,
  ].join("\n");
}

function indent(text: string): string {
  const lines = text.trimEnd().split("\n");
  const more = lines.length > 20 ? [`    … (${lines.length - 20} lines more)`] : [];
  return [...lines.slice(0, 20).map((line) => `    ${visible(line.slice(0, 500))}`), ...more].join("\n");
}
