/** Which processes a pid can be looked up among: a pid of another machine or container says nothing here. */
import { readFileSync, readlinkSync } from "node:fs";
import { isAlive, processStartOf } from "./process-identity.ts";

/** A process anywhere, for a store that several machines share. */
export interface PlacedProcess {
  /** See {@link processSpace}; null where the system does not tell. */
  readonly space: string | null;
  readonly pid: number;
  readonly start: string | null;
}

let space: string | null | undefined;

/**
 * The boot of this machine's kernel and this process's namespace of pids. Two processes for which it is the same see
 * each other's pids; null where the system does not tell (macOS), which is the same as nobody's.
 */
export function processSpace(): string | null {
  if (space === undefined) space = readSpace();
  return space;
}

/** This process, also when its pid is reused. */
export function thisProcess(): PlacedProcess {
  return { space: processSpace(), pid: process.pid, start: processStartOf(process.pid) };
}

/** True for a process that is known to be gone; false for one that cannot be seen from here. */
export function isGone({ space: place, pid, start }: PlacedProcess): boolean {
  return place !== null && place === processSpace() && !isAlive(pid, start);
}

function readSpace(): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    // No /proc: then only a lease or a heartbeat tells that a process is gone.
    return null;
  }
}
