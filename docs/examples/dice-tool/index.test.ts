import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("dice-tool", async () => {
  await using host = await createTestHost({ plugins: [plugin], model: [{ tool: "dice", args: { sides: 6 } }] });
  const { frames } = await host.turn("roll");
  const result = frames.find(({ type }) => type === "tool_result");
  assert.match(JSON.stringify(result), /rolled/);
});
