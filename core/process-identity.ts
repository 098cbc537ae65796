/** Identifies a process beyond its pid, which may be reused. */
import { readFileSync } from "node:fs";

/** True while the process with this start time is running; its pid may be reused. */
export function isAlive(pid: number, start: string | null): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const now = processStartOf(pid);
  return start === null || now === null ? now !== "zombie" : now === start;
}

/** When a process started, in clock ticks since boot; null where the system does not tell (macOS). */
export function processStartOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the name in parentheses, which may contain anything; the 22nd is the start.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "zombie" : (fields[19] ?? null);
  } catch {
    // No /proc, or the process is gone; the caller has checked the process itself.
    return null;
  }
}
