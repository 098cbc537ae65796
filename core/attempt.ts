/** Runs one hook under its deadline and says how that went; the only place that catches what a hook throws. */
import { HermesError, isHermesError, problemOf } from "./errors.ts";
import type { Firing, Hook, HookReply } from "./ports.ts";

export interface Attempt {
  readonly reply: HookReply | undefined;
  /** What was thrown, or the error that stands for a missed deadline; undefined when all went well. */
  readonly failure: unknown;
  readonly at: number;
  readonly duration_ms: number;
}

/** Runs a hook. Gives a promise only when the hook does; never throws or rejects. */
export function attempt(hook: Hook, firing: Firing, signal: AbortSignal): Attempt | Promise<Attempt> {
  const at = Date.now();
  const started = performance.now();
  let reply: HookReply | Promise<HookReply>;
  try {
    reply = hook.run(firing, signal);
  } catch (thrown) {
    return ended(at, started, undefined, thrown);
  }
  if (reply instanceof Promise) return settle(hook, firing, signal, reply, at, started);
  const took = performance.now() - started;
  return { reply, failure: lateness(hook, firing, took), at, duration_ms: rounded(took) };
}

async function settle(
  hook: Hook,
  firing: Firing,
  signal: AbortSignal,
  reply: Promise<HookReply>,
  at: number,
  started: number,
): Promise<Attempt> {
  try {
    return ended(at, started, await withinDeadline(hook, firing, signal, reply), undefined);
  } catch (thrown) {
    return ended(at, started, undefined, thrown);
  }
}

function ended(at: number, started: number, reply: HookReply | undefined, failure: unknown): Attempt {
  const thrown = reply === undefined ? (failure ?? new Error("it failed without saying why")) : failure;
  return { reply, failure: thrown, at, duration_ms: rounded(performance.now() - started) };
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

/** A synchronous hook cannot be stopped; one that returned after its deadline counts as timed out. */
function lateness(hook: Hook, firing: Firing, took: number): HermesError | undefined {
  if (hook.deadlineSeconds === null || took <= hook.deadlineSeconds * 1000) return undefined;
  return timeout(
    hook,
    firing,
    "It blocked the program meanwhile: move slow work out of the callback or make it async.",
  );
}

/** Waits for the reply, but no longer than the deadline and not past an interrupt. */
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

/** The error of the table that stands for whatever a hook threw. */
export function failureOf(hook: Hook, firing: Firing, thrown: unknown): HermesError {
  if (isHermesError(thrown)) return thrown;
  return new HermesError(
    "HERMES_HOOK_THREW",
    { source: hook.source, name: hook.name, event: firing.event, problem: problemOf(thrown) },
    { cause: thrown },
  );
}
