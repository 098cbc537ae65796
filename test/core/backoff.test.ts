import assert from "node:assert/strict";
import test from "node:test";
import { growingPause } from "#core/backoff";

test("a pause doubles with each failure up to the longest, however many there are", () => {
  const backoff = { firstPause: 500, longestPause: 3000 };
  const pauses = [0, 1, 2, 3, 4, 5000].map((failures) => growingPause(failures, backoff));
  assert.deepEqual(pauses, [500, 1000, 2000, 3000, 3000, 3000]);
});
