import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("first-turn-rules", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  assert.match(String((await host.fire("pre_llm_call", { is_first_turn: true }))?.["context"]), /short sentences/);
  assert.equal(await host.fire("pre_llm_call", { is_first_turn: false }), null);
});
