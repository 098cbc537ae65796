import test from "node:test";
import assert from "node:assert/strict";
import { Restarts } from "#sandbox/python/restarts";

test("five restarts within a minute are tolerated, the sixth is too many, and old ones are forgotten", () => {
  let now = 1000;
  const restarts = new Restarts(() => now);
  for (let restart = 0; restart < 5; restart++) {
    now += 1000;
    restarts.note();
  }
  assert.deepEqual([restarts.count, restarts.areTooMany], [5, false]);
  now += 55_999;
  assert.equal(restarts.count, 5);
  now += 1;
  restarts.note();
  assert.deepEqual([restarts.count, restarts.areTooMany], [5, false]);
  restarts.note();
  assert.deepEqual([restarts.count, restarts.areTooMany], [6, true]);
});
