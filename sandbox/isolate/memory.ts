/**
 * Watches what V8 does not limit: the memory of the whole process. Growth between two checks is attributed to the
 * isolates that ran meanwhile, so that the cause can be named when it is too much.
 */
import { MEMORY_LIMITS, MIB } from "./limits.ts";
import type { GuestIsolate } from "./guest-isolate.ts";

export interface MemoryWatchOptions {
  readonly isolates: () => Iterable<GuestIsolate>;
  /** Called when the process uses too much memory, with the isolate that most of it is attributed to. */
  readonly onExceeded: (isolate: GuestIsolate | undefined) => void;
}

export class IsolateMemoryWatch {
  readonly #options: MemoryWatchOptions;
  /** What the process uses without any hook. */
  readonly #base = process.memoryUsage.rss();
  readonly #busy = new Set<GuestIsolate>();
  readonly #active = new Set<GuestIsolate>();
  readonly #growth = new Map<GuestIsolate, number>();
  #last = this.#base;
  #lookedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
  }

  /** Must be called before code of an isolate runs. */
  onBusy(isolate: GuestIsolate): void {
    this.#busy.add(isolate);
    this.#active.add(isolate);
    this.#timer ??= setInterval(() => this.#look(), MEMORY_LIMITS.lookMs);
    // Many short runs may happen between two ticks, with none running at a tick.
    if (performance.now() - this.#lookedAt > MEMORY_LIMITS.lookMs) this.#look();
  }

  onIdle(isolate: GuestIsolate): void {
    this.#busy.delete(isolate);
    if (this.#busy.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  forget(isolate: GuestIsolate): void {
    this.#growth.delete(isolate);
    this.#active.delete(isolate);
  }

  #look(): void {
    for (const isolate of this.#busy) isolate.checkCpu();
    const bytes = process.memoryUsage.rss();
    const share = (bytes - this.#last) / this.#active.size;
    for (const isolate of this.#active) this.#growth.set(isolate, (this.#growth.get(isolate) ?? 0) + share);
    this.#active.clear();
    for (const isolate of this.#busy) this.#active.add(isolate);
    this.#last = bytes;
    this.#lookedAt = performance.now();
    let granted = 0;
    for (const { memoryMb } of this.#options.isolates()) granted += memoryMb * MEMORY_LIMITS.perHook * MIB;
    if (bytes <= this.#base + MEMORY_LIMITS.spareBytes + granted) return;
    const [most] = [...this.#growth].toSorted(([, left], [, right]) => right - left);
    this.#options.onExceeded(most?.[0]);
  }
}
