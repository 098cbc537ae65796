/**
 * True for a promise, also one of another realm or of a library of its own: recognised by shape, not by class.
 * Throws what a hostile `then` getter throws.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== undefined &&
    value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function"
  );
}
