import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("mask-keys", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  const answer = await host.fire("transform_tool_result", { result: '{"output":"sk-abcdefghijklmnop1234"}' });
  assert.deepEqual(answer, { text: '{"output":"[masked]"}' });
  assert.equal(await host.fire("transform_tool_result", { result: "{}" }), null);
});
