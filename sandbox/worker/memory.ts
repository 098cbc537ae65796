/**
 * Watches from outside how much memory a handler's thread uses. V8's own limit does not protect against a hostile
 * handler: if a growing `Map` or array exceeds it, the whole process aborts. So that limit is far higher, and this one,
 * which is checked many times a second, ends the process first.
 *
 * It measures the heap including garbage, external memory held by JavaScript, and what the process has beyond both:
 * shared buffers and memory of native code. Since garbage comes and goes, the limit must be exceeded for half a second,
 * or by far.
 */
import type { HeapInfo } from "node:v8";
import type { Worker } from "node:worker_threads";

export interface WatchedThread {
  readonly worker: Worker;
  readonly memoryMb: number;
  readonly isBusy: () => boolean;
  /** Called once when the thread uses too much. */
  readonly onExceeded: (usedMb: number) => void;
}

const MEGABYTE = 1024 * 1024;
const BUSY_MS = 25;
const IDLE_MS = 250;
const PATIENCE_MS = 500;
/** What a thread needs for Node and to strip types, before its handler has used anything. */
const EMPTY_THREAD_MB = 24;
/** What a process with a thread needs besides the thread's heap: code, stacks, freed memory that is kept. */
const OWN_MB = 128;

/** How much a thread may use briefly. */
function momentaryLimitMb(memoryMb: number): number {
  return memoryMb * 2 + 128;
}

/** V8's limit: high enough that growing memory does not reach it between two checks. */
export function engineLimitMb(memoryMb: number): number {
  return momentaryLimitMb(memoryMb) + 4096;
}

/** Watches until the process ends. Must be called before the thread has used any memory. */
export function watchMemory(thread: WatchedThread): void {
  new ThreadMemoryWatch(thread).schedule();
}

class ThreadMemoryWatch {
  readonly #thread: WatchedThread;
  /** What the process uses without the thread. */
  readonly #baseMb = residentMb();
  /** Since when it has used too much without interruption. */
  #since: number | undefined;
  /** A measurement that is still pending: code that V8 cannot interrupt leaves it so. */
  #looking = false;
  /** Its active milliseconds at the last check. */
  #worked = -1;
  #isOver = false;

  constructor(thread: WatchedThread) {
    this.#thread = thread;
  }

  schedule(): void {
    if (this.#isOver) return;
    const look = () => {
      void this.#look();
      this.schedule();
    };
    setTimeout(look, this.#thread.isBusy() ? BUSY_MS : IDLE_MS);
  }

  async #look(): Promise<void> {
    const { worker, isBusy } = this.#thread;
    // A thread that was idle since the last check uses the same amount.
    const { active } = worker.performance.eventLoopUtilization();
    if (!isBusy() && active === this.#worked) return;
    this.#worked = active;
    if (this.#looking) return this.#check(residentMb() - this.#baseMb - OWN_MB);
    this.#looking = true;
    // It ended meanwhile, so there is nothing to watch.
    const heap = await worker.getHeapStatistics().catch(() => undefined);
    this.#looking = false;
    if (heap !== undefined) this.#check(heapMb(heap) + this.#otherMb(heap));
  }

  /** Memory that the heap's statistics do not show. */
  #otherMb({ total_physical_size: heap, external_memory: external }: HeapInfo): number {
    return Math.max(0, residentMb() - this.#baseMb - OWN_MB - (heap + external) / MEGABYTE);
  }

  #check(usedMb: number): void {
    const { memoryMb, isBusy, onExceeded } = this.#thread;
    if (usedMb <= memoryMb || !isBusy()) this.#since = undefined;
    else this.#since ??= performance.now();
    const tooLong = this.#since !== undefined && performance.now() - this.#since > PATIENCE_MS;
    if (this.#isOver || (!tooLong && usedMb <= momentaryLimitMb(memoryMb))) return;
    this.#isOver = true;
    onExceeded(usedMb);
  }
}

/** What the handler has on its heap and outside of it. */
function heapMb({ used_heap_size: used, external_memory: external }: HeapInfo): number {
  return Math.max(0, (used + external) / MEGABYTE - EMPTY_THREAD_MB);
}

function residentMb(): number {
  return process.memoryUsage.rss() / MEGABYTE;
}
