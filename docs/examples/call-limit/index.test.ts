import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("call-limit", async () => {
  await using host = await createTestHost({ plugins: [{ plugin, settings: { most: 1 } }] });
  assert.equal(await host.fire("pre_tool_call"), null);
  assert.equal((await host.fire("pre_tool_call"))?.["action"], "block");
});
