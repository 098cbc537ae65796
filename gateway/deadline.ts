/** Waiting for what others may never finish. */

export type Settled<Value> =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "thrown"; readonly error: unknown }
  | { readonly kind: "late" };

/** Starts `work` and waits for it at most `ms` milliseconds. Never throws or rejects; late failures are dropped. */
export async function withDeadline<Value>(ms: number, work: () => Value | Promise<Value>): Promise<Settled<Value>> {
  const { promise: late, resolve } = Promise.withResolvers<Settled<Value>>();
  const timer = setTimeout(() => resolve({ kind: "late" }), ms);
  try {
    return await Promise.race([settle(work), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function settle<Value>(work: () => Value | Promise<Value>): Promise<Settled<Value>> {
  try {
    return { kind: "value", value: await work() };
  } catch (error) {
    return { kind: "thrown", error };
  }
}

/** The pause after so many failures in a row, in milliseconds: twice as long each time, up to the longest. */
export function growingPause(
  failures: number,
  { firstPause, longestPause }: { readonly firstPause: number; readonly longestPause: number },
): number {
  return Math.min(firstPause * 2 ** Math.min(failures, 30), longestPause);
}
