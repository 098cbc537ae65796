/**
 * Loaded first by every test process that `test/run.ts` starts: leaves the process's id where the runner finds it,
 * so that a process which blocks its own loop or never ends can be ended from outside.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";

const folder = process.env["HERMES_TEST_PROCESSES"];
if (folder !== undefined && isMainThread) {
  const file = join(folder, String(process.pid));
  writeFileSync(file, process.argv[1] ?? "");
  process.once("exit", () => rmSync(file, { force: true }));
}
