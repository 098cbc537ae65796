/** The runner of the tests, on small trees of test files. */
import test from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { repositoryRoot } from "./repository.ts";

const GOOD = `import test from "node:test"; test("good", () => {});`;
const BAD = `import test from "node:test"; test("bad", () => { throw new Error("on purpose"); });`;

test("units and process tests end in one summary, which is the last thing printed", (t) => {
  const { status, lines } = runTree(t, { "a/one.test.ts": GOOD, "b/two.process.test.ts": GOOD });
  assert.equal(status, 0, lines.join("\n"));
  assert.match(lines.at(-1)!, /^ℹ duration_ms /);
  assert.deepEqual(
    lines.filter((line) => /^ℹ (tests|pass|fail) /.test(line)),
    ["ℹ tests 2", "ℹ pass 2", "ℹ fail 0"],
  );
});

test("a failing test and a file that cannot be loaded both count, and the summary still comes last", (t) => {
  const { status, lines } = runTree(t, { "bad.test.ts": BAD, "broken.test.ts": "throw new Error('at import');" });
  assert.equal(status, 1);
  assert.deepEqual(lines.slice(-8, -4), ["ℹ tests 2", "ℹ suites 2", "ℹ pass 0", "ℹ fail 2"]);
});

test("a path narrows the choice; no file at all is a failure", (t) => {
  const files = { "a/one.test.ts": GOOD, "b/two.test.ts": BAD, "c/three.long.test.ts": BAD };
  assert.equal(runTree(t, files, ["test/a"]).status, 0);
  assert.equal(runTree(t, files, ["unit", "test/b"]).status, 1);
  assert.equal(runTree(t, files, ["test/none"]).status, 1);
});

test("long tests run only when asked for", (t) => {
  const files = { "a/one.test.ts": GOOD, "c/three.long.test.ts": BAD };
  assert.equal(runTree(t, files).status, 0);
  assert.equal(runTree(t, files, ["long"]).status, 1);
});

const MANY = `import test from "node:test"; for (let n = 0; n < 20; n++) test("number " + n, () => {});`;
const orderOf = (lines: readonly string[]) => lines.flatMap((line) => /number \d+/.exec(line) ?? []);

test("the long tests and the unit tests with them run in an order that the printed seed repeats", (t) => {
  const files = { "a/one.test.ts": MANY, "b/two.process.test.ts": BAD, "c/three.long.test.ts": GOOD };
  const { status, lines } = runTree(t, files, ["long"]);
  assert.equal(status, 0, lines.join("\n"));
  assert.ok(
    lines.some((line) => line.includes("good")),
    "the long test ran",
  );
  const order = orderOf(lines);
  assert.equal(new Set(order).size, 20);
  assert.deepEqual(order.toSorted(), orderOf(runTree(t, files, ["unit"]).lines).toSorted());
  const [seed] = lines.flatMap((line) => /--seed=\d+/.exec(line) ?? []);
  assert.deepEqual(orderOf(runTree(t, files, ["unit", seed!]).lines), order);
  const other = seed === "--seed=7" ? "--seed=8" : "--seed=7";
  assert.notDeepEqual(orderOf(runTree(t, files, ["unit", other]).lines), order);
  assert.equal(runTree(t, files, ["unit", "--seed=seven"]).status, 1);
});

test("the tests see neither keys nor the home of the user who runs them", (t) => {
  const body = `import test from "node:test"; import assert from "node:assert/strict";
    test("clean", () => { assert.equal(process.env.OPENAI_API_KEY, undefined); assert.notEqual(process.env.HERMES_HOME, "/mine"); });`;
  const env = { OPENAI_API_KEY: "k", HERMES_HOME: "/mine" };
  assert.equal(runTree(t, { "one.test.ts": body, "two.process.test.ts": body }, [], env).status, 0);
});

function runTree(
  t: { after: (undo: () => void) => void },
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): { status: number | null; lines: string[] } {
  const tree = mkdtempSync(join(tmpdir(), "hermes-runner-"));
  t.after(() => rmSync(tree, { recursive: true, force: true }));
  mkdirSync(join(tree, "test"));
  for (const name of ["run.ts", "units.ts", "watched.ts"]) {
    cpSync(join(repositoryRoot, "test", name), join(tree, "test", name));
  }
  writeFileSync(join(tree, "package.json"), '{"type":"module"}');
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, "test", path)), { recursive: true });
    writeFileSync(join(tree, "test", path), source);
  }
  // The variable makes a node:test process report to its parent; the runner under test has none.
  const { NODE_TEST_CONTEXT: _context, ...inherited } = process.env;
  const run = spawnSync(process.execPath, ["test/run.ts", ...args], {
    cwd: tree,
    encoding: "utf8",
    timeout: 60_000,
    env: { ...inherited, ...env },
  });
  return { status: run.status, lines: run.stdout.trimEnd().split("\n") };
}
