/** Whether files can be parsed, found out in a thread of its own. */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { problemOf } from "#core/errors";

const WORKER = new URL(`./syntax-worker${extname(import.meta.filename)}`, import.meta.url);
const LONGEST_MS = 10_000;

/**
 * The first problem of the files, null when all can be parsed. Never rejects. Not in the thread of the caller: a source
 * that is nested deep enough overflows the stack of Node's parser of TypeScript, which then parses nothing any more in
 * that thread, the program's own modules included.
 */
export function findFirstSyntaxProblem(files: readonly string[]): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const undecided = `${files[0] ?? ""} cannot be parsed`;
  const worker = new Worker(WORKER, { workerData: files, stdout: true, stderr: true });
  const timer = setTimeout(() => resolve(`${undecided} within ${LONGEST_MS / 1000} s`), LONGEST_MS);
  worker.once("message", (problem: string | null) => resolve(problem));
  worker.once("error", (error) => resolve(`${undecided}: ${problemOf(error)}`));
  worker.once("exit", () => resolve(undecided));
  return promise.finally(() => {
    clearTimeout(timer);
    void worker.terminate();
  });
}
