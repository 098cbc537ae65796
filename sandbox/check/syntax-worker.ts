/** The thread that parses: see `parse.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { findModuleProblem } from "./modules.ts";
import type { ParseRequest } from "./parse.ts";
import { findSyntaxProblem } from "./syntax.ts";

const { code, imports, beside } = workerData as ParseRequest;
const problem =
  (await findModuleProblem(code, imports)) ??
  beside.map((file) => findSyntaxProblem(file, code.sources)).find((found) => found !== null);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(problem ?? null);
