import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("slow-tools", async () => {
  await using host = await createTestHost({ plugins: [{ plugin, name: "slow-tools" }] });
  await host.fire("transform_tool_result", { duration_ms: 9000 });
  assert.deepEqual(host.log, ["warn slow-tools: terminal took 9000 ms"]);
});
