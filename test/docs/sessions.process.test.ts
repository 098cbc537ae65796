import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { countBlocks, examplesOf, Newcomer, readPage } from "../helpers/examples.ts";

const PAGE = "docs/sessions.md";
const sh = examplesOf(PAGE, "sh");

test("every block of the page is an example that is tried here", () => {
  assert.deepEqual([...sh.keys()], ["sessions-search"]);
  assert.equal(countBlocks(PAGE, "sh"), 1);
  assert.equal(countBlocks(PAGE, "yaml"), 1);
});

test("the prices are a valid configuration, and /cost uses them", async (t) => {
  const newcomer = new Newcomer(t);
  const [text = ""] = /(?<=```yaml\n)[^]*?(?=```)/.exec(readPage(PAGE)) ?? [];
  mkdirSync(join(newcomer.home, ".hermes"));
  writeFileSync(join(newcomer.home, ".hermes/config.yaml"), text.replace("default: my-model", "provider: offline"));
  assert.equal((await newcomer.run("hermes config check")).code, 0);
  await newcomer.run("hermes 'hello there'");
  const cost = await newcomer.run("hermes -c -q /cost");
  assert.match(cost.stdout, /^1\. turn, offline: \d+ in, \d+ out, cost 0\.\d{4}\ntotal: .*\noffline: 3 in and 15 out/);
});

test("a search finds what was said", async (t) => {
  const newcomer = new Newcomer(t);
  assert.equal((await newcomer.run("hermes 'why is my disk full?'")).code, 0);
  const found = await newcomer.run(sh.get("sessions-search")!);
  assert.equal(found.code, 0, found.stderr);
  assert.match(found.stdout, /why is my disk full[^]*why is my disk full[^]*"hits": \[[^]*why is my disk full/);
});
