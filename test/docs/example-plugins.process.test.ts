/** Every plugin of docs/examples/ passes its own test, type-checks with the repository, and is listed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { readPage } from "../helpers/examples.ts";
import { ROOT } from "../helpers/hermes.ts";

const names = globSync("docs/examples/*/index.ts", { cwd: ROOT }).map((path) => path.split("/")[2]!);

test("there are twenty, and the page lists each", () => {
  assert.equal(names.length, 20);
  const page = readPage("docs/examples/README.md");
  for (const name of names) assert.ok(page.includes(`](${name}/index.ts)`), name);
});

test("each passes its own test", () => {
  const files = names.map((name) => join("docs/examples", name, "index.test.ts"));
  const register = join(ROOT, "test/helpers/register-packages.ts");
  const args = ["--import", register, "--test", "--test-isolation=none", "--test-reporter=tap", ...files];
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: "utf8" });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.match(stdout, /^# pass 20$/m);
});
