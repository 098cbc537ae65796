/** A turn of an agent: its events, its loop over requests and calls, and its end. */
import { yieldToEventLoop } from "#core/event-loop";
import { EXIT, HermesError, isHermesError, problemOf } from "#core/errors";
import type { FinishReason } from "#core/frames";
import type { Tool, TurnInput } from "#core/ports/agent";
import { withChangingTools } from "./changing-tools.ts";
import { TurnMessages } from "./turn-messages.ts";
import { ContextGuard } from "./context-guard.ts";
import { createDelegateTool } from "./delegate.ts";
import { Injections, type Injection } from "./injections.ts";
import type { SelectedModel } from "./models/select.ts";
import { requestAnswer } from "./request.ts";
import { finishReasonOf, noticeFor } from "./finish.ts";
import { fireHook, type TurnOutcome, type TurnScope } from "./scope.ts";
import type { AskedCall, ModelAnswer } from "./stream.ts";
import { runToolCall } from "./tool-call.ts";

interface Turn {
  readonly scope: TurnScope;
  readonly selected: SelectedModel;
  readonly message: string;
  readonly instructions: string;
  readonly conversation: TurnMessages;
  /** The tools of the moment. */
  readonly tools: () => readonly Tool[];
  readonly injections: Injections;
  readonly guard: ContextGuard;
  /** Requests to the model so far. */
  requests: number;
}

type Ending = Omit<TurnOutcome, "duration_ms">;
type Delivered = Pick<Ending, "text" | "finish_reason" | "notice">;

const NO_ANSWER: Delivered = { text: null, finish_reason: null, notice: null };

const INSTRUCTIONS =
  "You are Hermes, a helpful agent on the user's own computer. Use the tools to look and to act instead of " +
  "guessing, keep answers short, and say plainly what you did and what went wrong. A tool result with an error " +
  "that a hook gave is a decision of the user: respect it and do not work around it.";

const CLOSING_WORDS =
  "The limit of requests for this turn is reached, so no more tools can be used. Say in a few sentences what was " +
  "done, what was found, and what is left to do.";

/**
 * Runs a turn and returns how it ended. Frames of the user's own session are `text`, `reasoning`, `tool_use`,
 * `tool_result`, `hook`, `injected`, `assistant`, `error`; a child agent's text and answer get no frames. Never throws.
 */
export async function runTurn(
  scope: TurnScope,
  input: TurnInput,
  injections: Injections = new Injections(),
): Promise<TurnOutcome> {
  const started = performance.now();
  const ending = await prepare(scope, input, injections).then(
    (turn) => carry(turn),
    (thrown: unknown) => failed(scope, thrown),
  );
  if (ending.error !== null && !ending.interrupted) {
    const { code, message: sentence } = ending.error;
    emitOwn(scope, { type: "error", message: sentence, code });
  }
  return { ...ending, duration_ms: Math.round(performance.now() - started) };
}

/** Prepares what can fail before any event has fired: the model's settings and the database. */
async function prepare(scope: TurnScope, input: TurnInput, injections: Injections): Promise<Turn> {
  const { deps, session } = scope;
  const { message } = input;
  const selected = await deps.model();
  await deps.toolsReady?.(scope.line.signal);
  const { tools: own = [] } = input;
  const others = deps.tools().filter(({ name }) => own.every((tool) => tool.name !== name));
  const tools = withChangingTools(deps, [...others, ...own, createDelegateTool(scope, runTurn)]);
  const conversation = new TurnMessages(deps.sessions, session.id, input, selected);
  // Reading a long history takes time, and so does what comes next.
  await yieldToEventLoop();
  const instructions = [deps.instructions ?? INSTRUCTIONS, deps.projectInstructions, input.instructions]
    .filter(Boolean)
    .join("\n\n");
  const guard = new ContextGuard(scope, { selected, conversation, instructions, tools: tools() });
  return { scope, selected, message, instructions, conversation, tools, injections, guard, requests: 0 };
}

/** The turn from its first event to `on_session_end`, which fires however the turn ended. */
async function carry(turn: Turn): Promise<Ending> {
  const { scope, selected } = turn;
  const { session, platform } = scope;
  let ending: Ending;
  try {
    await open(turn);
    ending = await converse(turn);
  } catch (thrown) {
    ending = failed(scope, thrown);
  }
  // Messages that came too late for this turn are in the history of the next one.
  addInjected(turn, turn.injections.close());
  const { completed, interrupted } = ending;
  announce(turn, "agent:end", { message: turn.message, response: ending.text ?? "" });
  await fireHook(
    scope,
    "on_session_end",
    () => ({ session_id: session.id, completed, interrupted, model: selected.id, platform }),
    { closing: true },
  );
  return ending;
}

async function open(turn: Turn): Promise<void> {
  const { scope, selected, message, conversation } = turn;
  const { deps, session, platform, line } = scope;
  const stored = deps.sessions.get(session.id);
  const isFirst = (stored?.started_at ?? null) === null;
  if (isFirst && (stored?.title ?? null) === null) deps.sessions.rename(session.id, titleOf(message));
  deps.sessions.setModel(session.id, selected.id);
  const place = { session_id: session.id, model: selected.id, platform };
  if (isFirst) {
    deps.sessions.markStarted(session.id);
    announce(turn, "session:start", { session_key: session.key ?? session.id });
    await fireHook(scope, "on_session_start", () => ({ ...place }));
  }
  announce(turn, "agent:start", { message });
  const decision = await fireHook(scope, "pre_llm_call", () => ({
    ...place,
    user_message: message,
    conversation_history: conversation.forHooks(),
    is_first_turn: isFirst,
  }));
  if (decision.kind === "context") conversation.setContext(decision.text);
  line.signal.throwIfAborted();
}

/** Alternates between requests and calls until the model answers without calls or the limit is reached. */
async function converse(turn: Turn): Promise<Ending> {
  const { scope, conversation } = turn;
  while (turn.requests < scope.maxIterations) {
    addInjected(turn, turn.injections.take());
    const tools = turn.tools();
    const answer = await ask(turn, tools);
    const calls = answer.calls.map((call) => ({ ...call, id: uniqueId(scope, call.id) }));
    announce(turn, "agent:step", { iteration: turn.requests, tool_names: calls.map(({ tool }) => tool) });
    if (calls.length > 0) {
      conversation.addCalls(answer, calls);
      await runStep(turn, calls, tools);
      continue;
    }
    if (turn.injections.closeIfEmpty()) return finish(turn, answer);
    conversation.addAnswer(answer, answer.text);
  }
  return closeAtLimit(turn);
}

/** Runs all calls of an answer in parallel. Each result is stored immediately, so that a kill loses no other. */
async function runStep(
  { scope, conversation }: Turn,
  calls: readonly AskedCall[],
  tools: readonly Tool[],
): Promise<void> {
  const contents = await Promise.all(
    calls.map((call) => runToolCall(scope, tools, call, (content) => conversation.storeResult(call, content))),
  );
  conversation.addResults(calls, contents);
  scope.line.signal.throwIfAborted();
}

async function finish(turn: Turn, answer: ModelAnswer): Promise<Ending> {
  const { scope, selected, message, conversation } = turn;
  const delivered = await deliver(turn, answer);
  scope.line.signal.throwIfAborted();
  await fireHook(scope, "post_llm_call", () => ({
    session_id: scope.session.id,
    user_message: message,
    assistant_response: delivered.text ?? "",
    conversation_history: conversation.forHooks(),
    model: selected.id,
    platform: scope.platform,
  }));
  return { ...delivered, completed: true, interrupted: false, exit_code: EXIT.ok, error: null };
}

/** The closing summary is a request like any other, but without tools; no `post_llm_call` follows. */
async function closeAtLimit(turn: Turn): Promise<Ending> {
  const { scope } = turn;
  addInjected(turn, turn.injections.close());
  // Anthropic's API rejects a history with calls but without tools; for other providers none are sent.
  const tools = turn.selected.provider === "anthropic" ? turn.tools() : [];
  const error = new HermesError("HERMES_TURN_LIMIT", { limit: scope.maxIterations });
  const ending = { completed: false, interrupted: false, exit_code: EXIT.turnLimit, error };
  try {
    return { ...ending, ...(await deliver(turn, await ask(turn, tools, CLOSING_WORDS))) };
  } catch (thrown) {
    scope.line.signal.throwIfAborted();
    scope.deps.log.warn("the closing summary failed", { problem: problemOf(thrown), session_id: scope.session.id });
    return { ...ending, ...NO_ANSWER };
  }
}

/** Lets hooks change the final answer, shows it and stores it. */
async function deliver({ scope, selected, conversation }: Turn, answer: ModelAnswer): Promise<Delivered> {
  const decision = await fireHook(scope, "transform_llm_output", () => ({
    session_id: scope.session.id,
    response_text: answer.text,
    model: selected.id,
    platform: scope.platform,
  }));
  scope.line.signal.throwIfAborted();
  const text = decision.kind === "transform" ? decision.text : answer.text;
  const finish_reason = finishReasonOf(answer.finishReason);
  const notice = noticeFor({ ...answer, shown: text, finish_reason });
  if (notice !== null) {
    const { session, deps } = scope;
    deps.log.warn("the model's answer is empty or incomplete", { notice, finish_reason, session_id: session.id });
  }
  conversation.addAnswer(answer, text);
  emitOwn(scope, { type: "assistant", content: text, finish_reason, ...(notice === null ? {} : { notice }) });
  return { text, finish_reason, notice };
}

async function ask(turn: Turn, tools: readonly Tool[], closing?: string): Promise<ModelAnswer> {
  const { scope, selected, conversation, guard } = turn;
  turn.requests++;
  const count = turn.requests + (await guard.beforeRequest(turn.requests));
  const answer = await requestAnswer(
    scope,
    {
      selected,
      instructions: turn.instructions,
      messages: conversation.toModelMessages(closing),
      tools,
      wordsOnly: closing !== undefined,
      hints: conversation.hints(),
      signal: scope.line.signal,
      onDelta: (type, delta) => emitOwn(scope, { type, delta }),
    },
    count,
  );
  guard.afterRequest(answer.usage.input_tokens);
  return answer;
}

function addInjected({ scope, conversation }: Turn, injected: readonly Injection[]): void {
  for (const { content, label, kind } of injected) {
    emitOwn(scope, { type: "injected", source_kind: kind, source_label: label, content });
    conversation.addInjected(content);
  }
}

/** The session's initial title: the start of the first message. */
function titleOf(message: string): string | null {
  return message.trim().split("\n", 1)[0]?.slice(0, 80) || null;
}

function failed({ line }: TurnScope, thrown: unknown): Ending {
  if (line.signal.aborted) {
    const error = new HermesError("HERMES_INTERRUPTED", {});
    return { ...NO_ANSWER, completed: false, interrupted: true, exit_code: EXIT.interrupted, error };
  }
  const error = isHermesError(thrown)
    ? thrown
    : new HermesError("HERMES_INTERNAL", { problem: problemOf(thrown) }, { cause: thrown });
  return { ...NO_ANSWER, completed: false, interrupted: false, exit_code: error.exitCode, error };
}

/** Servers choose ids of calls, and agents of a turn run in parallel: makes an id that is unique in the turn. */
function uniqueId({ line, session }: TurnScope, id: string): string {
  let unique = id || "call";
  for (let count = 1; line.callIds.has(unique); count++) unique = `${id}_${session.id.slice(-6)}_${count}`;
  line.callIds.add(unique);
  return unique;
}

type OwnFrame =
  | { type: "text" | "reasoning"; delta: string }
  | { type: "assistant"; content: string; finish_reason: FinishReason; notice?: string }
  | { type: "injected"; source_kind: string; source_label: string; content: string }
  | { type: "error"; message: string; code: HermesError["code"] };

/** Emits a frame, unless this is a child agent. */
function emitOwn({ depth, line }: TurnScope, frame: OwnFrame): void {
  if (depth === 0) line.emit({ ...frame, session_id: line.session_id });
}

/** Child agents emit no gateway events, which are about conversations with users. */
function announce({ scope }: Turn, event: string, context: Record<string, unknown>): void {
  if (scope.depth > 0) return;
  const { deps, platform, session } = scope;
  deps.registry.emit_sync(event, { platform, user_id: scope.user_id, session_id: session.id, ...context });
}
