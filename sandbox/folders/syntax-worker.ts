/** The thread that parses: see `parse.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { findSyntaxProblem } from "./syntax.ts";

const files = workerData as readonly string[];
const problem = files.map((file) => findSyntaxProblem(file)).find((found) => found !== null);
parentPort?.postMessage(problem ?? null);
