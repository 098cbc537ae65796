import assert from "node:assert/strict";
import test from "node:test";
import { didYouMean, nearest } from "#core/suggest";

test("a word that is near is suggested, and nothing when none is", () => {
  const cases: readonly [word: string, candidates: readonly string[], found: string | undefined][] = [
    ["hlep", ["help", "hooks"], "help"],
    ["PRE_TOOL", ["pre_tool_call", "pre_llm_call"], undefined],
    ["pre_tol_call", ["pre_tool_call", "pre_llm_call"], "pre_tool_call"],
    ["ls", ["ps", "run"], "ps"],
    ["a", ["b", "c"], undefined],
    ["", ["b"], undefined],
    ["xyz", ["run", "ps", "hooks"], undefined],
    ["x", [], undefined],
    ["y".repeat(101), ["y".repeat(100)], undefined],
  ];
  for (const [word, candidates, found] of cases) assert.equal(nearest(word, candidates), found, word);
  assert.equal(didYouMean("nothing", ["like", "it"]), "");
});
