/** Kills all processes of a run: its group by TERM, then KILL, and those that left the group by KILL. */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { killMarked, type Escaped } from "./descendants.ts";

/** A running child, as long as any of its processes may have to be killed. */
export interface Running {
  /** Sends TERM to the child's group and, `graceMs` later, KILL to the run's remaining processes. */
  terminate(graceMs: number): void;
  /** Call it when the child has ended. After `terminate` it kills those that left the group, and names them. */
  ended(): readonly Escaped[];
}

export interface RunTracking {
  /** The id in the environment of everything that the run starts. */
  readonly id: string;
  /** Called when nothing of the run is left that would have to be killed. */
  readonly onGone: () => void;
  /** True for a child whose descendants are in a process namespace of its own (`WalledCommand.ownsProcesses`). */
  readonly ownsProcesses: boolean;
  /** True when what the child leaves behind is killed at its end. */
  readonly endsLeftovers: boolean;
}

/** The group leader's pid and run id of each run to kill if this process exits first. */
const running = new Map<number, string>();
let listening = false;

/** Tracks a child, so that everything it started is killed if this process ends first. */
export function trackRun(child: ChildProcess, { id, onGone, ownsProcesses, endsLeftovers }: RunTracking): Running {
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
    if (ownsProcesses) terminateInside(pid);
    else signalGroup(pid, "SIGTERM");
    killing = setTimeout(() => {
      signalGroup(pid, "SIGKILL");
      killEscaped();
      forget();
    }, graceMs);
  }

  function ended(): readonly Escaped[] {
    // The kernel has killed everything in the namespace.
    if (ownsProcesses) {
      clearTimeout(killing);
      forget();
      return [];
    }
    if (killing === undefined) {
      if (endsLeftovers) killLeftovers(pid as number, id);
      forget();
      return [];
    }
    killEscaped();
    if (groupExists(pid as number)) {
      // Nothing waits for the rest of the group any more; if the program exits meanwhile, the rest is killed.
      killing.unref();
    } else {
      // From now on its pid may be reused.
      clearTimeout(killing);
      forget();
    }
    return escaped;
  }

  return { terminate, ended };
}

/**
 * TERM for the command behind a wall. The wall's own process would end by it, and everything inside with KILL at
 * once, so the signal goes to the group of its only child, the first process of the namespace, which ignores it.
 */
function terminateInside(pid: number): void {
  const [first] = childrenOf(pid);
  if (first === undefined) signalGroup(pid, "SIGKILL");
  else signalGroup(first, "SIGTERM");
}

function childrenOf(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    return children.split(" ").filter(Boolean).map(Number);
  } catch {
    // It has ended, or the kernel does not tell.
    return [];
  }
}

/** Kills the rest of a child's group, and who left it. The child has ended, so nothing else has its number while one is left. */
function killLeftovers(pid: number, id: string): void {
  if (groupExists(pid)) signalGroup(pid, "SIGKILL");
  killMarked(new Set([id]));
}

function killRunning(): void {
  for (const pid of running.keys()) signalGroup(pid, "SIGKILL");
  if (running.size > 0) killMarked(new Set(running.values()));
}

function groupExists(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch (error) {
    // ESRCH: the group is empty. EPERM (macOS): only zombies are left, which need no signal.
    return !["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "");
  }
}

/** Sends a signal to a process group that is led by a child. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: the group has exited by itself. EPERM (macOS): only zombies are left in it.
  }
}
