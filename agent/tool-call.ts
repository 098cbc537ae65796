/** Runs every tool call, whether the model or the user requested it. */
import type { Decision } from "#core/answers";
import { problemOf } from "#core/errors";
import type { Tool } from "#core/ports/agent";
import { didYouMean } from "#core/suggest";
import { findSchemaProblem } from "#core/tool-schema";
import { DELEGATE_TASK } from "./delegate.ts";
import { UNNAMED_CALL } from "./models/chat-events.ts";
import { fireHook, type TurnScope } from "./scope.ts";
import type { AskedCall } from "./stream.ts";

/** The longest result, in characters of JSON, that goes to hooks and the model. */
const LONGEST_RESULT = 200_000;

/** Longer than terminating a command's process group takes. */
const STOP_GRACE_MS = 3000;

interface Ran {
  readonly result: string;
  readonly success: boolean;
  readonly duration_ms: number;
}

/**
 * Runs one call: `tool_use` frame, gate, checks of name and arguments, the tool, `post_tool_call`,
 * `transform_tool_result`, `tool_result` frame. Returns the text for the model, which is JSON unless a hook replaced
 * it. Never throws: failures are results `{"error": …}`. A tool does not start once the turn is stopped, but both
 * frames are always emitted. `keep` gets the text before the second frame, so that a kill loses nothing that was shown.
 */
export async function runToolCall(
  scope: TurnScope,
  tools: readonly Tool[],
  asked: AskedCall,
  keep?: (content: string) => void,
): Promise<string> {
  const { line } = scope;
  const shown = { session_id: line.session_id, tool: asked.tool, tool_id: asked.id };
  line.emit({ type: "tool_use", ...shown, params: asked.args });
  const { content, success } = await passGate(scope, tools, asked);
  keep?.(content);
  line.emit({ type: "tool_result", ...shown, content, success });
  return content;
}

async function passGate(
  scope: TurnScope,
  tools: readonly Tool[],
  asked: AskedCall,
): Promise<{ content: string; success: boolean }> {
  const { session, line } = scope;
  if (line.signal.aborted) return { content: errorResult("interrupted; the tool did not run"), success: false };
  const payload = (args: Readonly<Record<string, unknown>>) => ({
    tool_name: asked.tool,
    args,
    task_id: scope.deps.taskId ?? session.id,
    session_id: session.id,
    tool_call_id: asked.id,
  });
  const decision = await fireHook(scope, "pre_tool_call", () => payload(asked.args));
  const changed = decision.kind === "modify" || decision.kind === "ask" ? decision.args : undefined;
  const args = changed ?? asked.args;
  const problem = changed === undefined ? asked.problem : null;
  const refused = await refusalOf(scope, { ...asked, args }, decision);
  if (refused === null) scope.deps.onToolCall?.({ task_id: scope.deps.taskId ?? session.id, tool: asked.tool, args });
  const ran: Ran =
    refused === null
      ? await execute(scope, tools, { ...asked, args, problem })
      : { result: errorResult(refused), success: false, duration_ms: 0 };
  const { result, duration_ms } = ran;
  if (refused === null) line.progress({ kind: "tool_ended", tool_id: asked.id, duration_ms });
  const options = { closing: true, blocked: refused !== null };
  await fireHook(scope, "post_tool_call", () => ({ ...payload(args), result }), options);
  const replaced = await fireHook(
    scope,
    "transform_tool_result",
    () => ({ ...payload(args), result, duration_ms }),
    options,
  );
  return { content: replaced.kind === "transform" ? replaced.text : result, success: ran.success };
}

/** The message of a block, by a hook or by the user whom a hook asked; null when the call may run. */
function refusalOf(scope: TurnScope, call: AskedCall, decision: Decision): string | null | Promise<string | null> {
  if (decision.kind === "block") return decision.message;
  if (decision.kind !== "ask") return null;
  const { line, origin, deps, questions } = scope;
  return questions.settle({
    session_id: origin.user_session_id,
    agent: origin.agent?.type ?? null,
    tool: call.tool,
    args: call.args,
    reasons: decision.reasons,
    ask: line.ask,
    signal: line.signal,
    warn: (sentence) => deps.log.warn(sentence),
  });
}

async function execute(scope: TurnScope, tools: readonly Tool[], asked: AskedCall): Promise<Ran> {
  const started = performance.now();
  const refuse = (problem: string): Ran => ({
    result: errorResult(problem),
    success: false,
    duration_ms: Math.round(performance.now() - started),
  });
  const { session, line, deps, depth } = scope;
  if (line.signal.aborted) return refuse("interrupted; the tool did not run");
  const tool = tools.find(({ name }) => name === asked.tool);
  if (tool === undefined) {
    const names = tools.map(({ name }) => name);
    const problem =
      asked.tool === UNNAMED_CALL
        ? "The call names no tool."
        : `There is no tool "${asked.tool}".${didYouMean(asked.tool, names)}`;
    return refuse(`${problem} Tools: ${names.join(", ")}.`);
  }
  const problem = asked.problem ?? (await findSchemaProblem(tool.parameters, asked.args));
  if (problem !== undefined) return refuse(`Bad arguments for ${asked.tool}: ${problem}.`);
  try {
    // A copy, because the hooks' arguments are frozen and a tool may change its own.
    const args = tool.leavesArguments === true ? asked.args : structuredClone(asked.args);
    const running = tool.execute(args, {
      tool_call_id: asked.id,
      session_id: session.id,
      cwd: deps.cwd,
      signal: line.signal,
      depth,
    });
    // Child agents end once their tools have ended, and close their sessions first.
    const bounded = tool.name !== DELEGATE_TASK.name;
    const value = await (bounded ? stopWith(line.signal, running, deps.stopGraceMs ?? STOP_GRACE_MS) : running);
    const duration_ms = Math.round(performance.now() - started);
    return { result: toResult(value), success: !saysError(value), duration_ms };
  } catch (thrown) {
    return refuse(problemOf(thrown) || "the tool failed without saying why");
  }
}

/** Waits for a tool, but at most `graceMs` after the turn was stopped, because a tool may ignore the signal. */
function stopWith<Value>(signal: AbortSignal, running: Promise<Value>, graceMs: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const stop = () => {
      timer = setTimeout(() => reject(new Error("interrupted; the tool did not stop in time")), graceMs);
    };
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    Promise.resolve(running)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
      });
  });
}

function toResult(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  if (text.length <= LONGEST_RESULT) return text;
  const output = text.slice(0, LONGEST_RESULT);
  return JSON.stringify({ truncated: true, total_characters: text.length, output });
}

function errorResult(message: string): string {
  return JSON.stringify({ error: message });
}

/** True for `{"error": …}`, which tools may also return without throwing. */
function saysError(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { error } = value as { error?: unknown };
  return error !== undefined && error !== null && error !== "" && error !== false;
}
