import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("no-force-push", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  const answer = await host.fire("pre_tool_call", { args: { command: "git push --force" } });
  assert.deepEqual(answer, { action: "block", message: "Force pushes are not allowed." });
  assert.equal(await host.fire("pre_tool_call", { args: { command: "git push" } }), null);
});
