/**
 * Finds all descendants of a run. A process that left its group (`setsid`, a double fork) does not get group signals,
 * but it keeps the environment it was started with, so every child gets a marker there.
 */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";

/** The environment variable that marks a child: the ids of the runs it descends from, innermost last. */
export const RUN_MARKER = "HERMES_HOOK_RUN";

/** A process that was killed although it had left its group. */
export interface Escaped {
  readonly pid: number;
  /** The kernel's name for it, at most 15 bytes. */
  readonly name: string;
}

/** A hook of one hermes may start another hermes: how many enclosing runs are kept. */
const DEEPEST = 8;
const CHAIN = /^[0-9a-f]{32}(?:,[0-9a-f]{32})*$/;
/** A process may fork during the search; then the next round finds its child. */
const MOST_SWEEPS = 5;
const MOST_NAMED = 5;

/** A sentence about the escaped processes for the run's error, with a leading space; empty when there are none. */
export function describeEscaped(escaped: readonly Escaped[]): string {
  if (escaped.length === 0) return "";
  const list = escaped.slice(0, MOST_NAMED).map(({ name, pid }) => `${JSON.stringify(name)} (pid ${pid})`);
  const more = escaped.length > MOST_NAMED ? ` and ${escaped.length - MOST_NAMED} more` : "";
  return ` ${list.join(", ")}${more} left its process group; killed.`;
}

/** A new random id: 32 hexadecimal digits. */
export function newRunId(): string {
  return randomBytes(16).toString("hex");
}

/** The environment with the run's id added to its marker. */
export function markEnvironment(env: NodeJS.ProcessEnv, id: string): NodeJS.ProcessEnv {
  const inherited = env[RUN_MARKER] ?? "";
  const around = CHAIN.test(inherited) ? inherited.split(",").slice(1 - DEEPEST) : [];
  return { ...env, [RUN_MARKER]: [...around, id].join(",") };
}

/**
 * Kills every process of this user that is marked with one of the ids, except those in the group `spared`, and returns
 * the ones it killed. Only Linux exposes other processes' environments: elsewhere it finds none. Never throws.
 */
export function killMarked(ids: ReadonlySet<string>, spared?: number): readonly Escaped[] {
  const killed = new Map<string, Escaped>();
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    const before = killed.size;
    for (const pid of processes()) {
      const found = findMarked(pid, ids);
      if (found === undefined || found.group === spared) continue;
      if (kill(pid)) killed.set(`${pid} ${found.started}`, { pid, name: found.name });
    }
    if (killed.size === before) break;
  }
  return [...killed.values()];
}

interface Status {
  readonly name: string;
  readonly group: number;
  /** In clock ticks since boot: together with the pid it identifies a process, even if the pid is reused. */
  readonly started: string;
}

/** A marked process of this user, or undefined. Checked right before the kill, because a pid may be reused. */
function findMarked(pid: number, ids: ReadonlySet<string>): Status | undefined {
  if (!carries(pid, ids)) return undefined;
  const status = statusOf(pid);
  if (status === undefined || !isOurs(pid) || !carries(pid, ids)) return undefined;
  return statusOf(pid)?.started === status.started ? status : undefined;
}

function carries(pid: number, ids: ReadonlySet<string>): boolean {
  return chainOf(pid).some((id) => ids.has(id));
}

/** The id of the run that a process belongs to, the innermost one; undefined for a process that has none or is gone. */
export function runOf(pid: number): string | undefined {
  return chainOf(pid).at(-1);
}

function chainOf(pid: number): readonly string[] {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
    const variable = environment.startsWith(`${RUN_MARKER}=`) ? 0 : environment.indexOf(`\0${RUN_MARKER}=`) + 1;
    if (variable === 0 && !environment.startsWith(`${RUN_MARKER}=`)) return [];
    const [value = ""] = environment.slice(variable + RUN_MARKER.length + 1).split("\0", 1);
    return value.split(",");
  } catch {
    // It has exited meanwhile, or belongs to another user.
    return [];
  }
}

function statusOf(pid: number): Status | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name may contain anything, even parentheses and newlines: the last parenthesis ends it.
    const end = text.lastIndexOf(")");
    const fields = text.slice(end + 2).split(" ");
    return { name: text.slice(text.indexOf("(") + 1, end), group: Number(fields[2]), started: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

function isOurs(pid: number): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === process.geteuid?.();
  } catch {
    return false;
  }
}

function processes(): readonly number[] {
  if (process.platform !== "linux") return [];
  try {
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && pid > 1 && pid !== process.pid);
  } catch {
    // There is no /proc: only the process group can be killed.
    return [];
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    // It has exited meanwhile.
    return false;
  }
}
