import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("protect-files", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  const answer = await host.fire("pre_tool_call", { tool_name: "write_file", args: { path: "app/.env" } });
  assert.equal(answer?.["message"], ".env must not be changed.");
  assert.equal(await host.fire("pre_tool_call", { tool_name: "read_file", args: { path: ".env" } }), null);
});
