/** Runs one hook with its deadline and reports the outcome; the only place that catches what a hook throws. */
import { monotonic } from "./clock.ts";
import { HermesError, isHermesError, problemOf } from "./errors.ts";
import { NO_REPLY, type Firing, type Hook, type HookReply } from "./ports/hook.ts";

export interface Attempt {
  readonly reply: HookReply | undefined;
  /** What was thrown, or the error for a missed deadline; undefined on success. */
  readonly failure: unknown;
  /** Moments of `performance.now()`. */
  readonly started: number;
  readonly ended: number;
}

/** Runs a hook; `started` is now. Returns a promise only if the hook does; never throws or rejects. */
export function attempt(hook: Hook, firing: Firing, signal: AbortSignal, started: number): Attempt | Promise<Attempt> {
  const attempted = attemptQuietly(hook, firing, signal, started);
  if (typeof attempted !== "number") return attempted;
  return { reply: NO_REPLY, failure: undefined, started, ended: attempted };
}

/** Like {@link attempt}, but returns only the moment of the end for {@link NO_REPLY} in time, as most runs end. */
export function attemptQuietly(
  hook: Hook,
  firing: Firing,
  signal: AbortSignal,
  started: number,
): number | Attempt | Promise<Attempt> {
  let reply: HookReply | Promise<HookReply>;
  try {
    reply = hook.run(firing, signal);
  } catch (thrown) {
    return failed(started, thrown);
  }
  const ended = monotonic.now();
  const late = lateness(hook, firing, ended - started);
  if (late !== undefined) {
    // What it still rejects with is nobody's business any more.
    if (reply instanceof Promise) reply.catch(() => undefined);
    return { reply: undefined, failure: late, started, ended };
  }
  if (reply === NO_REPLY) return ended;
  if (reply instanceof Promise) return settle(hook, firing, signal, reply, started);
  return { reply, failure: undefined, started, ended };
}

async function settle(
  hook: Hook,
  firing: Firing,
  signal: AbortSignal,
  pending: Promise<HookReply>,
  started: number,
): Promise<Attempt> {
  try {
    const reply = await withinDeadline(hook, firing, signal, pending);
    return { reply, failure: undefined, started, ended: monotonic.now() };
  } catch (thrown) {
    return failed(started, thrown);
  }
}

function failed(started: number, thrown: unknown): Attempt {
  const failure = thrown ?? new Error("it failed without giving a reason");
  return { reply: undefined, failure, started, ended: monotonic.now() };
}

/** A synchronous hook cannot be stopped; if it returns after its deadline, it has timed out and its answer is lost. */
function lateness(hook: Hook, firing: Firing, took: number): HermesError | undefined {
  if (hook.deadlineSeconds === null || took <= hook.deadlineSeconds * 1000) return undefined;
  return timeout(
    hook,
    firing,
    "It blocked the event loop all that time: move slow work out of the callback or make it async.",
  );
}

/** Waits for the reply until the deadline or an interrupt. */
function withinDeadline(
  hook: Hook,
  firing: Firing,
  signal: AbortSignal,
  reply: Promise<HookReply>,
): Promise<HookReply> {
  const { deadlineSeconds } = hook;
  if (deadlineSeconds === null) return reply;
  const { promise, resolve, reject } = Promise.withResolvers<HookReply>();
  const interrupted = () => {
    reject(new HermesError("HERMES_HOOK_INTERRUPTED", { source: hook.source, name: hook.name, event: firing.event }));
  };
  const timer = setTimeout(() => {
    reject(timeout(hook, firing, "Does it await something that never settles?"));
  }, deadlineSeconds * 1000);
  signal.addEventListener("abort", interrupted, { once: true });
  if (signal.aborted) interrupted();
  reply.then(resolve, reject);
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", interrupted);
  });
}

function timeout(hook: Hook, firing: Firing, cure: string): HermesError {
  return new HermesError("HERMES_HOOK_TIMEOUT", {
    source: hook.source,
    name: hook.name,
    event: firing.event,
    seconds: hook.deadlineSeconds ?? 0,
    cure,
  });
}

/** Turns anything that a hook threw into an error of the table. */
export function failureOf(hook: Hook, firing: Firing, thrown: unknown): HermesError {
  if (isHermesError(thrown)) return thrown;
  return new HermesError(
    "HERMES_HOOK_THREW",
    { source: hook.source, name: hook.name, event: firing.event, problem: problemOf(thrown) },
    { cause: thrown },
  );
}
