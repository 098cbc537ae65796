/**
 * Runs every unit test file in this one process, each as a suite of its own, so that a file's hooks are its own
 * and starting costs one process instead of one a file. `test/run.ts` names the files in HERMES_TEST_UNITS.
 */
import test, { suite } from "node:test";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const root = resolve(import.meta.dirname, "..");
const files = JSON.parse(process.env["HERMES_TEST_UNITS"] ?? "[]") as readonly string[];

for (const file of files) {
  suite(relative(root, file), async () => {
    try {
      await import(pathToFileURL(file).href);
    } catch (error) {
      // As a test of its own, so that it counts among the failures.
      test("the file loads", () => {
        throw error;
      });
    }
  });
}
