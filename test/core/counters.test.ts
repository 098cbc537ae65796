import assert from "node:assert/strict";
import test from "node:test";
import { observationOf } from "#core/ports/counters";

test("an observation is in the bucket of its bound, and beyond the last bound in +Inf", () => {
  const bucket = (seconds: number) => observationOf("task", [], seconds)[0]!.labels[0];
  assert.deepEqual([0, 1, 1.01, 14_400, 14_401].map(bucket), ["1", "1", "5", "14400", "+Inf"]);
});
