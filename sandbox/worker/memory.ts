/**
 * Watches from outside how much memory threads use. V8's own limit does not protect against a hostile handler: if a
 * growing `Map` or array exceeds it, the whole process aborts. So that limit is far higher, and this one, which is
 * checked many times a second, ends the thread first.
 *
 * It measures the heap including garbage, and external memory held by JavaScript. Since garbage comes and goes, a
 * thread is only ended when it uses too much for half a second, or far too much.
 */
import type { Worker } from "node:worker_threads";

export interface WatchedThread {
  readonly worker: Worker;
  readonly memoryMb: number;
  readonly isBusy: boolean;
  /** Called once when the thread uses too much. */
  readonly onExceeded: (usedMb: number) => void;
}

const MEGABYTE = 1024 * 1024;
const BUSY_MS = 25;
const IDLE_MS = 250;
const PATIENCE_MS = 500;

/** How much a thread may use briefly. */
function momentaryLimitMb(memoryMb: number): number {
  return memoryMb * 2 + 128;
}

/** V8's limit: high enough that growing memory does not reach it between two checks. */
export function engineLimitMb(memoryMb: number): number {
  return momentaryLimitMb(memoryMb) + 4096;
}

interface Watch {
  readonly thread: WatchedThread;
  /** Since when it has used too much without interruption. */
  since: number | undefined;
  /** A measurement that is still pending. */
  looking: boolean;
  /** Its active milliseconds at the last check. */
  worked: number;
}

export class ThreadMemoryWatch {
  readonly #watches = new Set<Watch>();
  #timer: NodeJS.Timeout | undefined;

  /** Watches a thread until the returned undo is called. */
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
  // A thread that was idle since the last check uses the same amount.
  const { active } = thread.worker.performance.eventLoopUtilization();
  if (watch.looking || (!thread.isBusy && active === watch.worked)) return;
  watch.worked = active;
  watch.looking = true;
  // It ended meanwhile, so there is nothing to watch.
  const statistics = await thread.worker.getHeapStatistics().catch(() => undefined);
  watch.looking = false;
  if (statistics === undefined || !isWatched()) return;
  const usedMb = (statistics.used_heap_size + statistics.external_memory) / MEGABYTE;
  if (usedMb <= thread.memoryMb || !thread.isBusy) watch.since = undefined;
  else watch.since ??= performance.now();
  const tooLong = watch.since !== undefined && performance.now() - watch.since > PATIENCE_MS;
  if (tooLong || usedMb > momentaryLimitMb(thread.memoryMb)) thread.onExceeded(usedMb);
}
