/**
 * Watches what V8 does not limit: the memory of the whole process. Growth between two checks is attributed to the
 * isolates that ran meanwhile, so that the cause can be named when it is too much.
 */
import { MEMORY_LIMITS, MIB } from "./limits.ts";
import type { GuestIsolate } from "./guest-isolate.ts";

export interface MemoryWatchOptions {
  readonly cells: () => Iterable<GuestIsolate>;
  /** Called when the process uses too much memory, with the isolate that most of it is attributed to. */
  readonly onExceeded: (cell: GuestIsolate | undefined) => void;
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
  onBusy(cell: GuestIsolate): void {
    this.#busy.add(cell);
    this.#active.add(cell);
    this.#timer ??= setInterval(() => this.#look(), MEMORY_LIMITS.lookMs);
    // Many short runs may happen between two ticks, with none running at a tick.
    if (performance.now() - this.#lookedAt > MEMORY_LIMITS.lookMs) this.#look();
  }

  onIdle(cell: GuestIsolate): void {
    this.#busy.delete(cell);
    if (this.#busy.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  forget(cell: GuestIsolate): void {
    this.#growth.delete(cell);
    this.#active.delete(cell);
  }

  #look(): void {
    for (const cell of this.#busy) cell.checkCpu();
    const bytes = process.memoryUsage.rss();
    const share = (bytes - this.#last) / this.#active.size;
    for (const cell of this.#active) this.#growth.set(cell, (this.#growth.get(cell) ?? 0) + share);
    this.#active.clear();
    for (const cell of this.#busy) this.#active.add(cell);
    this.#last = bytes;
    this.#lookedAt = performance.now();
    let granted = 0;
    for (const { memoryMb } of this.#options.cells()) granted += memoryMb * MEMORY_LIMITS.perHook * MIB;
    if (bytes <= this.#base + MEMORY_LIMITS.spareBytes + granted) return;
    const [most] = [...this.#growth].toSorted(([, left], [, right]) => right - left);
    this.#options.onExceeded(most?.[0]);
  }
}
