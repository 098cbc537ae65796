/** Starts one process behind its wall, so that everything it starts can be killed, by this process or after its death. */
import type { Wall, WalledCommand } from "#core/ports/wall";
import { markEnvironment, newRunId } from "./descendants.ts";
import { findStartProblem, startChild, type Started, type StartOptions } from "./start.ts";
import { trackRun, type Running } from "./terminate.ts";
import { guardRun } from "./watchdog.ts";

export interface LaunchOptions extends StartOptions {
  /** What the process may see and write; everything when absent. */
  readonly wall?: Wall | undefined;
  /** What becomes of processes that it leaves behind at its own end. Behind a wall they always end. */
  readonly leftovers?: "kill" | "leave";
}

export interface Launched {
  readonly start: Started;
  readonly running: Running;
}

/** Starts the process in its own process group. Never rejects; the problem is a clause such as `not found: ./guard.sh`. */
export async function launch(options: LaunchOptions): Promise<Launched | { readonly problem: string }> {
  const walled = await enclose(options);
  if (walled !== null && "problem" in walled) return walled;
  const id = newRunId();
  const onGone = guardRun(id);
  const { argv0: _own, ...others } = options;
  const command = walled === null ? options : { ...others, argv: walled.argv };
  const start = await startChild({ ...command, env: markEnvironment(options.env, id) });
  if ("problem" in start) {
    onGone();
    return start;
  }
  const ownsProcesses = walled?.ownsProcesses ?? false;
  const tracking = { id, onGone, ownsProcesses, endsLeftovers: options.leftovers === "kill" };
  return { start, running: trackRun(start.child, tracking) };
}

/** The command behind its wall; null without one. A command that cannot start is found here: the wall would hide why. */
async function enclose(options: LaunchOptions): Promise<WalledCommand | { readonly problem: string } | null> {
  const walled = (await options.wall?.enclose(options)) ?? null;
  if (walled === null || "problem" in walled) return walled;
  const problem = await findStartProblem(options);
  return problem === null ? walled : { problem };
}
