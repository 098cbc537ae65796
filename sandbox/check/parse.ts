/** Checks in a separate thread whether a hook's code can be loaded, as far as possible without running it. */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { problemOf } from "#core/errors";
import type { HookCode } from "#core/ports/tier";

/** What the thread checks. */
export interface ParseRequest {
  readonly code: HookCode;
  /** What the tier lets a handler import. */
  readonly imports: ImportRule;
  /** Files that are only parsed. */
  readonly beside: readonly string[];
}

/** `own-folder` are the rules of isolates. */
export type ImportRule = "anything" | "own-folder";

const WORKER = new URL(`./syntax-worker${extname(import.meta.filename)}`, import.meta.url);
const LONGEST_MS = 10_000;

/**
 * The first problem of a handler, of the files that it imports, and of those `beside` it; null when there is none. Never
 * rejects. It does not run in the caller's thread, because deeply nested source overflows the stack of Node's TypeScript
 * parser, which then cannot parse anything more in that thread, not even the program's own modules.
 */
export function findScriptProblem(request: ParseRequest): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const { folder, handler, sources } = request.code;
  const undecided = `${handler} cannot be parsed`;
  const workerData: ParseRequest = { ...request, code: { folder, handler, sources } };
  // The class that parses modules without running them needs this option.
  const execArgv = ["--experimental-vm-modules"];
  const worker = new Worker(WORKER, { workerData, execArgv, stdout: true, stderr: true });
  const timer = setTimeout(() => resolve(`${undecided} within ${LONGEST_MS / 1000} s`), LONGEST_MS);
  worker.once("message", (problem: string | null) => resolve(problem));
  worker.once("error", (error) => resolve(`${undecided}: ${problemOf(error)}`));
  worker.once("exit", () => resolve(undecided));
  return promise.finally(() => {
    clearTimeout(timer);
    void worker.terminate();
  });
}
