import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("read-only", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  assert.equal((await host.fire("pre_tool_call", { tool_name: "patch" }))?.["action"], "block");
  assert.equal(await host.fire("pre_tool_call", { tool_name: "read_file" }), null);
});
