/**
 * True for any promise, also from another realm or library: recognised by shape, not by class.
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
