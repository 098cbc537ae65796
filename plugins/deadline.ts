/** Waits for `value`, but no longer than `seconds`: then it rejects with an error of this sentence. */
export async function withinDeadline<Value>(
  value: PromiseLike<Value> | Value,
  seconds: number,
  sentence: string,
): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(sentence)), seconds * 1000);
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}
