import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("child-agents", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  await host.fire("subagent_stop", { child_status: "failed", child_summary: "too hard" });
  assert.equal(await host.command("children"), "failed: too hard");
});
