/** Notices that the discovery file came, went or changed: at once where the file system tells, else every 30 seconds. */
import { statSync, watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";

const PROBE_INTERVAL_MS = 30_000;
/** A file that is being written is read when its writer has had time to finish. */
const SETTLE_MS = 30;

export interface DiscoveryWatch {
  close(): void;
}

/**
 * Calls `refresh` when the file may have changed, and every 30 s. It watches the folder, so that a file which is yet to
 * come counts, too. Does not keep the program running.
 */
export function watchDiscovery(file: string, refresh: () => void): DiscoveryWatch {
  const folder = dirname(file);
  const name = basename(file);
  let watcher: FSWatcher | undefined;
  let watched: number | undefined;
  let settling: NodeJS.Timeout | undefined;

  function changed(_type: string, changedName: string | null): void {
    // Some systems do not say which file it was.
    if (changedName !== null && changedName !== name) return;
    clearTimeout(settling);
    settling = setTimeout(refresh, SETTLE_MS).unref();
  }

  /** Watches the folder, or the one that has taken its place. */
  function begin(): void {
    const inode = statSync(folder, { throwIfNoEntry: false })?.ino;
    if (watcher !== undefined && inode === watched) return;
    end();
    if (inode === undefined) return;
    try {
      watcher = watch(folder, { persistent: false }, changed).on("error", end);
      watched = inode;
    } catch {
      // No watches left, or a file system without them: the probe finds it out, within its 30 seconds.
      end();
    }
  }

  function end(): void {
    watcher?.close();
    watcher = undefined;
  }

  begin();
  const probe = setInterval(() => {
    begin();
    refresh();
  }, PROBE_INTERVAL_MS).unref();

  return {
    close() {
      clearInterval(probe);
      clearTimeout(settling);
      end();
    },
  };
}
