import assert from "node:assert/strict";
import test from "node:test";
import { createRareLog, OncePerMinute } from "#core/rare-log";

test("a line is due at first, then once a minute, and at once after a reset", () => {
  let now = 0;
  const rare = new OncePerMinute(() => now);
  assert.deepEqual([rare.isDue(), rare.isDue()], [true, false]);
  now = 59_999;
  assert.ok(!rare.isDue());
  rare.reset();
  assert.deepEqual([rare.isDue(), rare.isDue()], [true, false]);
  now = 119_999;
  assert.ok(rare.isDue());
});

test("errors that come in crowds are one line a minute, with their number", (t) => {
  // Only the clock that never jumps counts.
  t.mock.method(Date, "now", () => assert.fail("the wall clock was read"));
  const lines: string[] = [];
  let now = 0;
  const log = createRareLog({ write: (line) => lines.push(line), now: () => now });
  log("first");
  for (let turn = 0; turn < 5; turn++) log("again");
  now = 59_999;
  log("too early");
  now = 60_000;
  log("later");
  log("hidden");
  now = 130_000;
  log("last");
  assert.deepEqual(lines, ["first", "later (6 similar errors suppressed)", "last (1 similar errors suppressed)"]);
});
