import assert from "node:assert/strict";
import test from "node:test";
import type { UsageRecord } from "#core/ports/agent";
import { contextText, costText } from "#core/usage-text";

const turn = (input: number, output: number, model = "m"): UsageRecord => ({
  kind: "turn",
  at: "",
  model,
  input_tokens: input,
  output_tokens: output,
  context_tokens: input + output,
});

test("the cost lists the turns and their sum; prices only of the model that has them", () => {
  assert.equal(costText([]), "No turn of this session has used the model yet.");
  assert.equal(
    costText([turn(1200, 50), { ...turn(300, 10), kind: "summary" }]),
    "1. turn, m: 1,200 in, 50 out\n2. summary, m: 300 in, 10 out\ntotal: 1,500 in, 60 out",
  );
  assert.equal(
    costText([turn(1_000_000, 100_000), turn(10, 10, "other")], { id: "m", input: 3, output: 15 }),
    [
      "1. turn, m: 1,000,000 in, 100,000 out, cost 4.5000",
      "2. turn, other: 10 in, 10 out",
      "total: 1,000,010 in, 100,010 out, cost 4.5000 without 1 turn of other models",
      "m: 3 in and 15 out for a million tokens",
    ].join("\n"),
  );
});

test("of many turns the last are listed, with their numbers", () => {
  const lines = costText(Array.from({ length: 25 }, () => turn(1, 1))).split("\n");
  assert.deepEqual(
    [lines[0], lines[1], lines.at(-1)],
    ["(5 earlier turns are not listed)", "6. turn, m: 1 in, 1 out", "total: 25 in, 25 out"],
  );
});

test("the meter shows the last request's tokens, of the limit where it is known", () => {
  assert.equal(contextText([], 1000), "");
  assert.equal(contextText([turn(1, 0), turn(12_000, 345)], 200_000), "12.3k of 200k tokens (6%)");
  assert.equal(contextText([turn(400, 50)], undefined), "450 tokens");
});
