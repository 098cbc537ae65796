/** Notices when the discovery file appears, disappears or changes: by file system events, else every 30 seconds. */
import { statSync, watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";

const PROBE_INTERVAL_MS = 30_000;
/** The delay before reading a changed file, so that its writer can finish. */
const SETTLE_MS = 30;

export interface DiscoveryWatch {
  close(): void;
}

/**
 * Calls `refresh` when the file may have changed, and every 30 s. It watches the folder, to notice a file that does not
 * exist yet. Does not keep the program running.
 */
export function watchDiscovery(file: string, refresh: () => void): DiscoveryWatch {
  const folder = dirname(file);
  const name = basename(file);
  let watcher: FSWatcher | undefined;
  let watched: number | undefined;
  let settling: NodeJS.Timeout | undefined;

  function changed(_type: string, changedName: string | null): void {
    // Some systems do not report which file it was.
    if (changedName !== null && changedName !== name) return;
    clearTimeout(settling);
    settling = setTimeout(refresh, SETTLE_MS).unref();
  }

  /** Watches the folder, or the one that has replaced it. */
  function begin(): void {
    const inode = statSync(folder, { throwIfNoEntry: false })?.ino;
    if (watcher !== undefined && inode === watched) return;
    end();
    if (inode === undefined) return;
    try {
      watcher = watch(folder, { persistent: false }, changed).on("error", end);
      watched = inode;
    } catch {
      // No watches left, or a file system without them: the probe every 30 seconds notices changes.
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
