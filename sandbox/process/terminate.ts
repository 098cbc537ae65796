/** Ends whole process groups: TERM, then KILL. A descendant in a session of its own is out of a group's reach. */
import type { ChildProcess } from "node:child_process";

/** The groups to be killed when this process ends before they do. */
const running = new Set<number>();
let listening = false;

/** Has a child's group killed should this process end first. Returns the undo, for when the child has ended. */
export function trackGroup(child: ChildProcess): () => void {
  const { pid } = child;
  if (pid === undefined) return () => {};
  if (!listening) {
    listening = true;
    process.on("exit", killRunning);
  }
  running.add(pid);
  return () => {
    if (!pending.has(pid)) running.delete(pid);
  };
}

/** Groups that had TERM and wait for KILL, also after their leader has ended. */
const pending = new Set<number>();

/** Sends TERM to the child's group and, `graceMs` later, KILL to whoever of it is left. */
export function terminateGroup(child: ChildProcess, graceMs: number): void {
  const { pid } = child;
  if (pid === undefined || pending.has(pid)) return;
  signalGroup(pid, "SIGTERM");
  pending.add(pid);
  const timer = setTimeout(() => {
    signalGroup(pid, "SIGKILL");
    pending.delete(pid);
    running.delete(pid);
  }, graceMs);
  // Once the leader is gone nobody waits for this timer: an end of the program meanwhile kills what is left.
  child.once("exit", () => timer.unref());
}

function killRunning(): void {
  for (const pid of running) signalGroup(pid, "SIGKILL");
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: the group has ended by itself. EPERM (macOS): only zombies are left in it.
  }
}
