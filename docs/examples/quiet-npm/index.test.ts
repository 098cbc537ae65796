import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("quiet-npm", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  const answer = await host.fire("pre_tool_call", { args: { command: "npm ci" } });
  assert.deepEqual(answer?.["args"], { command: "npm ci --no-audit --no-fund" });
});
