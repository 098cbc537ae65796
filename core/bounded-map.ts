/**
 * A map with a maximum size. Setting a key makes its entry the newest; when a new key would exceed the limit, the
 * oldest entry is removed, and `onDrop` is called with its key.
 */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #most: number;
  readonly #onDrop: ((key: Key) => void) | undefined;

  constructor(most: number, onDrop?: (key: Key) => void) {
    super();
    this.#most = most;
    this.#onDrop = onDrop;
  }

  override set(key: Key, value: Value): this {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#most) {
      const [oldest] = this.keys();
      this.delete(oldest!);
      this.#onDrop?.(oldest!);
    }
    return this;
  }
}

/** The function with its last `most` results cached. It is called again for results that were dropped. */
export function memoize<Key, Value extends {} | null>(compute: (key: Key) => Value, most: number): (key: Key) => Value {
  const results = new BoundedMap<Key, Value>(most);
  return (key) => {
    const known = results.get(key);
    if (known !== undefined) return known;
    const value = compute(key);
    results.set(key, value);
    return value;
  };
}
