/** Writes to standard output which platforms run, and their addresses. */
import type { Adapter } from "#core/ports/platform";
import { findPlatform } from "#gateway/adapters/table";

export interface Announcer {
  /** A platform is up. */
  add(this: void, platform: string, adapter: Adapter): void;
  /** Platforms that started before are announced now, so that the whole program is running when a line appears. */
  open(): void;
}

export function createAnnouncer(out: (line: string) => void): Announcer {
  const early: string[] = [];
  let isOpen = false;
  return {
    add(platform, adapter) {
      const address = findPlatform(platform)?.address?.(adapter) ?? null;
      const line = address === null ? platform : `${platform}: ${address}`;
      if (isOpen) out(line);
      else early.push(line);
    },
    open() {
      isOpen = true;
      early.forEach(out);
    },
  };
}
