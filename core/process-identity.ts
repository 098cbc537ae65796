/** Which process a pid means: a number alone may belong to another one by now. */
import { readFileSync } from "node:fs";

/** True while the process that noted this start runs; another one may have got its pid. */
export function isAlive(pid: number, start: string | null): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const now = processStartOf(pid);
  return start === null || now === null ? now !== "zombie" : now === start;
}

/** When a process began, in the kernel's ticks since its own start; null where the system does not say (macOS). */
export function processStartOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the name in parentheses, which may hold anything; the third is the state, the 22nd the start.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "zombie" : (fields[19] ?? null);
  } catch {
    // No /proc, or the process is gone: whoever asks has looked for the process itself.
    return null;
  }
}
