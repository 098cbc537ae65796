/** The example of docs/python-hooks.md runs and does what the page says. */
import test from "node:test";
import assert from "node:assert/strict";
import { parseHookManifest } from "#gateway/hooks/manifest";
import { countBlocks, examplesOf } from "../helpers/examples.ts";
import { makePythonBench } from "../helpers/python-hooks.ts";

const PAGE = "docs/python-hooks.md";
const manifests = examplesOf(PAGE, "yaml");
const handlers = examplesOf(PAGE, "python");

test("every block is a half of an example, which has the name of its manifest", async () => {
  assert.equal(countBlocks(PAGE, "yaml"), manifests.size);
  assert.equal(countBlocks(PAGE, "python"), handlers.size);
  assert.deepEqual([...manifests.keys()], [...handlers.keys()]);
  for (const [name, text] of manifests) assert.equal((await parseHookManifest(text, "HOOK.yaml")).name, name);
});

test("command-usage counts in its file", async (t) => {
  const bench = await makePythonBench(t);
  bench.write("command-usage", {
    "HOOK.yaml": manifests.get("command-usage"),
    "handler.py": handlers.get("command-usage"),
  });
  await bench.host.load();
  assert.deepEqual(bench.warnings, []);
  for (const command of ["help", "new", "help"]) {
    const { outcome, detail } = await bench.run(`command:${command}`, { command, args: "" });
    assert.deepEqual([outcome, detail], ["pass", null]);
  }
  assert.deepEqual(JSON.parse(bench.read("command-usage.json")), { help: 2, new: 1 });
  assert.ok(bench.lines.includes("info command-usage: help 2"), bench.lines.join("\n"));
});
