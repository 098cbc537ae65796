/**
 * The mark on everything that a tool of the agent starts: an environment variable with the homes whose guards apply.
 * A hermes that finds it changes nothing that guards the agent (CONTRACT §5).
 */
import { readFileSync } from "node:fs";

const MARK = "HERMES_AGENT_HOMES";
/** Opt-ins for hooks that must not reach a hermes inside. */
const OPT_IN = "HERMES_ACCEPT_HOOKS";
/** More processes than any real chain of parents has. */
const MOST_ANCESTORS = 64;

/** The environment for a command of the agent that runs for `home`. Gives a new object. */
export function markAgentEnvironment(env: NodeJS.ProcessEnv, home: string): NodeJS.ProcessEnv {
  const { [OPT_IN]: _optIn, ...others } = env;
  return { ...others, [MARK]: JSON.stringify([...new Set([...homesOf(env[MARK]), home])]) };
}

/**
 * The homes of the agents around this process; empty when no agent started it. On Linux the environments of its
 * parents tell, too, where the mark was removed or replaced.
 */
export function agentHomes(env: NodeJS.ProcessEnv): readonly string[] {
  return [...new Set([...homesOf(env[MARK]), ...markedHomes(process.ppid)])];
}

/** The homes of the agents around another process of this user; empty when no agent started it. Linux only. */
export function agentHomesOf(pid: number): readonly string[] {
  return [...new Set(markedHomes(pid))];
}

/** What the environments of a process and its parents say; nothing where the system does not show them. */
function* markedHomes(start: number): Generator<string> {
  if (process.platform !== "linux") return;
  let pid = start;
  for (let distance = 0; distance < MOST_ANCESTORS && pid > 0; distance++) {
    yield* homesOf(markOf(pid));
    pid = parentOf(pid);
  }
}

/** A mark that names no home was tampered with: it still marks, and guards everything. */
function homesOf(mark: string | undefined): readonly string[] {
  if (mark === undefined) return [];
  try {
    const homes: unknown = JSON.parse(mark);
    const named = Array.isArray(homes) ? homes.filter((home) => typeof home === "string") : [];
    return named.length === 0 ? ["/"] : named;
  } catch {
    return ["/"];
  }
}

function markOf(pid: number): string | undefined {
  const prefix = `${MARK}=`;
  const variables = readOrEmpty(`/proc/${pid}/environ`).split("\0");
  return variables.find((variable) => variable.startsWith(prefix))?.slice(prefix.length);
}

function parentOf(pid: number): number {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything.
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0) || 0;
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Another user's process, or one that has ended.
    return "";
  }
}
