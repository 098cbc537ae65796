/** Waits with a time limit. */

export type Settled<Value> =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "thrown"; readonly error: unknown }
  | { readonly kind: "late" };

export interface DeadlineOptions {
  /** False for a wait that does not keep the program running; true when absent. */
  readonly keepsAlive?: boolean;
}

/** Starts `work` and waits for it at most `ms` milliseconds. Never throws or rejects; late failures are ignored. */
export async function withDeadline<Value>(
  ms: number,
  work: () => Value | PromiseLike<Value>,
  { keepsAlive = true }: DeadlineOptions = {},
): Promise<Settled<Value>> {
  const { promise: late, resolve } = Promise.withResolvers<Settled<Value>>();
  const timer = setTimeout(() => resolve({ kind: "late" }), ms);
  if (!keepsAlive) timer.unref();
  try {
    return await Promise.race([settle(work), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `value` at most `ms` milliseconds; rejects as it does, or with this message when it is late. */
export async function rejectLate<Value>(
  value: Value | PromiseLike<Value>,
  { ms, sentence }: { readonly ms: number; readonly sentence: string },
): Promise<Value> {
  const settled = await withDeadline(ms, () => value);
  if (settled.kind === "value") return settled.value;
  throw settled.kind === "late" ? new Error(sentence) : settled.error;
}

/** Waits for `work`, but at most `graceMs` milliseconds after `signal` has aborted. Rejects as `work` does. */
export async function untilAborted(signal: AbortSignal, graceMs: number, work: Promise<unknown>): Promise<void> {
  const { promise: cut, resolve } = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(resolve, graceMs);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await Promise.race([work, cut]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

async function settle<Value>(work: () => Value | PromiseLike<Value>): Promise<Settled<Value>> {
  try {
    return { kind: "value", value: await work() };
  } catch (error) {
    return { kind: "thrown", error };
  }
}
