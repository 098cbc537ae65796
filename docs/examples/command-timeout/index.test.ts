import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("command-timeout", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  const answer = await host.fire("pre_tool_call", { args: { command: "make" } });
  assert.deepEqual(answer?.["args"], { command: "make", timeout: 60 });
  assert.equal(await host.fire("pre_tool_call", { args: { command: "make", timeout: 5 } }), null);
});
