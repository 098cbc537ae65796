import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("model-errors", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  await host.fire("api_request_error", { error: "no quota", retryable: false });
  assert.deepEqual(host.delivered, ["The model failed: no quota"]);
});
