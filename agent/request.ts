/** Sends a request to the model, with its events and retries. */
import { setTimeout as delay } from "node:timers/promises";
import { growingPause } from "#core/backoff";
import { toHermesError } from "./model-failure.ts";
import { ModelFailure } from "./models/failure.ts";
import { askModel, type ModelAnswer, type ModelRequest } from "./stream.ts";
import { fireHook, type TurnScope } from "./scope.ts";

const FIRST_DELAY_MS = 500;
const LONGEST_BACKOFF_MS = 8000;
/** A server may ask for any delay; a user does not wait longer than this. */
const LONGEST_ASKED_DELAY_MS = 60_000;

/**
 * Asks the model and retries after temporary failures (`maxRetries` times, and only if nothing of the answer has
 * arrived). Fires `pre_api_request` and then `post_api_request` or `api_request_error` for every attempt. `count` is
 * the request's number in the turn. Throws HERMES_MODEL_REQUEST, HERMES_MODEL_STREAM_CUT or the signal's reason.
 */
export async function requestAnswer(scope: TurnScope, request: ModelRequest, count: number): Promise<ModelAnswer> {
  const maxRetries = scope.deps.maxRetries();
  for (let retries = 0; ; retries++) {
    const outcome = await attemptOnce(scope, request, count, retries);
    if (!(outcome instanceof ModelFailure)) return outcome;
    if (!outcome.retryable || retries >= maxRetries) throw toHermesError(outcome, request.selected);
    const wait = retryDelay(scope, outcome, retries);
    scope.deps.log.warn("the model request failed; retrying", {
      problem: outcome.problem,
      wait_ms: wait,
      session_id: scope.session.id,
    });
    scope.line.progress({ kind: "retry", problem: outcome.problem, delay_ms: wait });
    await delay(wait, undefined, { signal: request.signal });
  }
}

async function attemptOnce(
  scope: TurnScope,
  request: ModelRequest,
  count: number,
  retries: number,
): Promise<ModelAnswer | ModelFailure> {
  const payload = payloadOf(scope, request, count, new Date().toISOString());
  await fireHook(scope, "pre_api_request", payload);
  const started = performance.now();
  try {
    request.signal.throwIfAborted();
    const { line } = scope;
    line.progress({ kind: "request" });
    const answer = await askModel(request);
    line.cost.input_tokens += answer.usage.input_tokens;
    line.cost.output_tokens += answer.usage.output_tokens;
    if (scope.depth === 0) line.context.tokens = answer.usage.input_tokens + answer.usage.output_tokens;
    line.progress({ kind: "tokens", ...line.cost, context_tokens: line.context.tokens });
    await fireHook(scope, "post_api_request", () => ({
      ...payload(),
      duration_ms: Math.round(performance.now() - started),
      finish_reason: answer.finishReason,
      response_model: answer.responseModel,
      usage: answer.usage,
    }));
    return answer;
  } catch (thrown) {
    const failure = thrown instanceof ModelFailure ? thrown : undefined;
    await fireHook(
      scope,
      "api_request_error",
      () => ({
        ...payload(),
        error: failure?.problem ?? "interrupted",
        status_code: failure?.statusCode ?? null,
        retry_count: retries,
        retryable: failure?.retryable ?? false,
      }),
      { closing: true },
    );
    if (failure === undefined) throw thrown;
    return failure;
  }
}

/** The payload that the three events share; created only when somebody listens. */
function payloadOf({ session, platform }: TurnScope, request: ModelRequest, count: number, startedAt: string) {
  const { selected, messages, tools, instructions } = request;
  return () => ({
    session_id: session.id,
    task_id: session.id,
    platform,
    model: selected.id,
    provider: selected.provider,
    base_url: selected.baseUrl,
    api_call_count: count,
    message_count: messages.length,
    tool_count: tools.length,
    approx_input_tokens: Math.ceil((JSON.stringify(messages).length + instructions.length) / 4),
    started_at: startedAt,
  });
}

/** The server's own delay, with a maximum; else exponential back-off with jitter. */
function retryDelay({ deps }: TurnScope, { retryAfterMs }: ModelFailure, retries: number): number {
  if (retryAfterMs !== null) return Math.min(retryAfterMs, LONGEST_ASKED_DELAY_MS);
  const firstPause = deps.retryDelayMs ?? FIRST_DELAY_MS;
  const most = growingPause(retries, { firstPause, longestPause: LONGEST_BACKOFF_MS });
  return Math.round(most * (0.5 + Math.random() / 2));
}
