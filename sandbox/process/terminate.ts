/** Ends all that a run has started: its group by TERM, then KILL, and by KILL whoever left the group. */
import type { ChildProcess } from "node:child_process";
import { killMarked, type Escaped } from "./descendants.ts";

/** A running child, for as long as something of it may have to be killed. */
export interface Running {
  /** Sends TERM to the child's group and, `graceMs` later, KILL to whoever of the run is left. */
  terminate(graceMs: number): void;
  /** To be called when the child has ended. After `terminate` it kills those that left the group, and names them. */
  ended(): readonly Escaped[];
}

/** Leader's pid and run id of what is to be killed when this process ends before it does. */
const running = new Map<number, string>();
let listening = false;

/**
 * Has all that the run starts killed should this process end before the child. `onGone` is called when there is
 * nothing of the run left that would have to be killed.
 */
export function trackRun(child: ChildProcess, id: string, onGone: () => void): Running {
  const { pid } = child;
  if (pid === undefined) return { terminate: () => undefined, ended: () => [] };
  if (!listening) {
    listening = true;
    process.on("exit", killRunning);
  }
  running.set(pid, id);
  const forget = () => {
    running.delete(pid);
    onGone();
  };
  let killing: NodeJS.Timeout | undefined;
  const escaped: Escaped[] = [];
  const killEscaped = () => void escaped.push(...killMarked(new Set([id]), pid));

  function terminate(graceMs: number): void {
    if (killing !== undefined || pid === undefined) return;
    signalGroup(pid, "SIGTERM");
    killing = setTimeout(() => {
      signalGroup(pid, "SIGKILL");
      killEscaped();
      forget();
    }, graceMs);
  }

  function ended(): readonly Escaped[] {
    if (killing === undefined) {
      forget();
      return [];
    }
    killEscaped();
    if (groupExists(pid as number)) {
      // Nobody waits for the rest of the group any more: an end of the program meanwhile kills what is left.
      killing.unref();
    } else {
      // Its number is free for strangers from now on.
      clearTimeout(killing);
      forget();
    }
    return escaped;
  }

  return { terminate, ended };
}

function killRunning(): void {
  for (const pid of running.keys()) signalGroup(pid, "SIGKILL");
  if (running.size > 0) killMarked(new Set(running.values()));
}

function groupExists(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch (error) {
    // ESRCH: nobody is left. EPERM (macOS): only zombies are, which need no signal either.
    return !["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "");
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: the group has ended by itself. EPERM (macOS): only zombies are left in it.
  }
}
