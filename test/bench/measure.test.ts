import assert from "node:assert/strict";
import { test } from "node:test";
import { quietest } from "../../bench/measure.ts";

/** How many of the values were asked for, and the result. */
async function sampled(values: readonly number[], enough: number): Promise<{ least: number; samples: number }> {
  let samples = 0;
  const least = await quietest(async () => values[samples++]!, enough);
  return { least, samples };
}

test("one disturbed sample does not matter, a cause that is in every sample does", async () => {
  assert.deepEqual(await sampled([1, 30, 30], 10), { least: 1, samples: 1 });
  assert.deepEqual(await sampled([21, 10, 30], 10), { least: 10, samples: 2 });
  assert.deepEqual(await sampled([31, 30, 32], 10), { least: 30, samples: 3 });
});
