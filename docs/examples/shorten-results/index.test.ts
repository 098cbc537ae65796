import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("shorten-results", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  const answer = await host.fire("transform_tool_result", { result: "x".repeat(10_500) });
  assert.equal((JSON.parse(String(answer?.["text"])) as { cut: number }).cut, 500);
});
