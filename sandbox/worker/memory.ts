/**
 * Watches from outside how much memory threads use. The engine's own limit is no help against a hostile handler: one
 * growth of a `Map` or an array beyond it ends the whole process. So that limit stands far above, and this one, which is
 * looked at many times a second, ends the thread before.
 *
 * What is measured is the heap with its garbage, and memory outside of it that JavaScript holds. Garbage comes and goes:
 * only what stays too much for half a second counts, or what is too much beyond doubt.
 */
import type { Worker } from "node:worker_threads";

export interface WatchedThread {
  readonly worker: Worker;
  readonly memoryMb: number;
  readonly isBusy: boolean;
  /** Called once when it uses too much. */
  readonly onExceeded: (usedMb: number) => void;
}

const MEGABYTE = 1024 * 1024;
const BUSY_MS = 25;
const IDLE_MS = 250;
const PATIENCE_MS = 500;

/** How much a thread may use for a moment. */
function momentaryLimitMb(memoryMb: number): number {
  return memoryMb * 2 + 128;
}

/** The engine's limit: far enough above that nothing which grows reaches it between two looks. */
export function engineLimitMb(memoryMb: number): number {
  return momentaryLimitMb(memoryMb) + 4096;
}

interface Watch {
  readonly thread: WatchedThread;
  /** Since when it has used too much without a break. */
  since: number | undefined;
  /** A look that has not been answered yet. */
  looking: boolean;
  /** Milliseconds that it has worked, at the last look. */
  worked: number;
}

export class ThreadMemoryWatch {
  readonly #watches = new Set<Watch>();
  #timer: NodeJS.Timeout | undefined;

  /** Watches a thread until the undo, which this gives, is called. */
  add(thread: WatchedThread): () => void {
    const watch: Watch = { thread, since: undefined, looking: false, worked: -1 };
    this.#watches.add(watch);
    this.#schedule();
    return () => {
      this.#watches.delete(watch);
      if (this.#watches.size > 0) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  #schedule(): void {
    const busy = [...this.#watches].some(({ thread }) => thread.isBusy);
    this.#timer ??= setTimeout(() => this.#lookAtAll(), busy ? BUSY_MS : IDLE_MS).unref();
  }

  #lookAtAll(): void {
    this.#timer = undefined;
    for (const watch of this.#watches) void look(watch, () => this.#watches.has(watch));
    if (this.#watches.size > 0) this.#schedule();
  }
}

async function look(watch: Watch, isWatched: () => boolean): Promise<void> {
  const { thread } = watch;
  // A thread that has done nothing since the last look uses what it used then.
  const { active } = thread.worker.performance.eventLoopUtilization();
  if (watch.looking || (!thread.isBusy && active === watch.worked)) return;
  watch.worked = active;
  watch.looking = true;
  // It ended meanwhile: then there is nothing to watch.
  const statistics = await thread.worker.getHeapStatistics().catch(() => undefined);
  watch.looking = false;
  if (statistics === undefined || !isWatched()) return;
  const usedMb = (statistics.used_heap_size + statistics.external_memory) / MEGABYTE;
  if (usedMb <= thread.memoryMb || !thread.isBusy) watch.since = undefined;
  else watch.since ??= performance.now();
  const tooLong = watch.since !== undefined && performance.now() - watch.since > PATIENCE_MS;
  if (tooLong || usedMb > momentaryLimitMb(thread.memoryMb)) thread.onExceeded(usedMb);
}
