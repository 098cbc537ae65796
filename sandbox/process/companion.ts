/** Processes of our own code that run the code of users: each ends at the latest when this process does, however that ends. */
import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { tmpdir } from "node:os";
import { killMarked, markEnvironment, newRunId, RUN_MARKER, runOf } from "./descendants.ts";
import { trackRun } from "./terminate.ts";
import { guardRun } from "./watchdog.ts";

export interface CompanionOptions {
  /** The interpreter of the entry file; the Node of this process when absent. */
  readonly interpreter?: string;
  /** Flags of the interpreter, the entry file, and its arguments. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdio: StdioOptions;
}

/** Starts the interpreter. Throws, or emits `error` and has no pid, when the system cannot start it. */
export function startCompanion({
  interpreter = process.execPath,
  args,
  env,
  cwd,
  stdio,
}: CompanionOptions): ChildProcess {
  const id = newRunId();
  const unguard = guardRun(id);
  let child: ChildProcess;
  try {
    // Its own process group, so that Ctrl+C does not end it.
    child = spawn(interpreter, args, { cwd, env: markEnvironment(env, id), detached: true, stdio });
  } catch (error) {
    unguard();
    throw error;
  }
  if (child.pid === undefined) unguard();
  const running = trackRun(child, { id, onGone: unguard, ownsProcesses: false, endsLeftovers: false });
  child.once("exit", () => void running.ended());
  return child;
}

/**
 * Remembers what a companion of any process has started, also outside of its group. Call it while the companion runs;
 * the returned function kills all of that.
 */
export function descendantsOf(pid: number): () => void {
  const id = runOf(pid);
  return () => void (id !== undefined && killMarked(new Set([id])));
}

/** A clause about the end of a companion, whose "it" is the handler, with the reason found in its standard error. */
export function describeExit(code: number | Error | null, signal: string | null, stderr: string): string {
  if (code instanceof Error) return `its process cannot be started: ${code.message}`;
  const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
  const said = /^.*(?:FATAL ERROR|Fatal Python error|Error:).*$/m.exec(stderr)?.[0].trim();
  return `its process ${how}${said === undefined ? "" : `: ${said}`}`;
}

/** The working folder of this process for a companion. A folder that was deleted cannot be one. */
export function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return tmpdir();
  }
}

/** The variable that marks descendants of a run, and its value here, for a companion whose own children go on. */
export function outerMarker(): { readonly name: string; readonly value: string | null } {
  return { name: RUN_MARKER, value: process.env[RUN_MARKER] ?? null };
}

/** Resolves with the exit code, or the error if it could not be started, and the signal. Its streams may still be open. */
export function exitOf(child: ChildProcess): Promise<[code: number | Error | null, signal: string | null]> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve([child.exitCode, child.signalCode]);
    // If it was started, the error is about a signal that could not be sent; its exit is still to come.
    child.on("error", (error) => {
      if (child.pid === undefined) resolve([error, null]);
    });
    child.once("exit", (code, signal) => resolve([code, signal]));
  });
}
