/** What a script of the user's needs before its process starts. */
import { statSync } from "node:fs";
import { userHome } from "#core/home/paths";
import type { ProcessResult } from "./run.ts";

/** Where a script starts: a working folder that is gone must not keep a guard from running (CONTRACT §6). */
export function existingFolder(cwd: string, env: NodeJS.ProcessEnv): string {
  return statSync(cwd, { throwIfNoEntry: false })?.isDirectory() ? cwd : userHome(env);
}

/** The result for a script that its approval no longer covers: nothing was started. */
export function notStarted(problem: string): ProcessResult {
  return {
    exit_code: null,
    signal: null,
    stdout: "",
    stderr: "",
    ended: "not_started",
    start_problem: problem,
    truncated: false,
    escaped: [],
    duration_ms: 0,
  };
}
