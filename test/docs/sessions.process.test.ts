import assert from "node:assert/strict";
import test from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";

const PAGE = "docs/sessions.md";
const sh = examplesOf(PAGE, "sh");

test("every block of the page is an example that is tried here", () => {
  assert.deepEqual([...sh.keys()], ["sessions-search"]);
  assert.equal(countBlocks(PAGE, "sh"), 1);
});

test("a search finds what was said", async (t) => {
  const newcomer = new Newcomer(t);
  assert.equal((await newcomer.run("hermes 'why is my disk full?'")).code, 0);
  const found = await newcomer.run(sh.get("sessions-search")!);
  assert.equal(found.code, 0, found.stderr);
  assert.match(found.stdout, /why is my disk full[^]*why is my disk full[^]*"hits": \[[^]*why is my disk full/);
});
