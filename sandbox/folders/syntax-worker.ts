/** The thread that parses: see `parse.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { findSyntaxProblem } from "./syntax.ts";

const files = workerData as readonly string[];
const problem = files.map((file) => findSyntaxProblem(file)).find((found) => found !== null);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(problem ?? null);
