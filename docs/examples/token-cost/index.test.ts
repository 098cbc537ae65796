import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("token-cost", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  await host.fire("post_api_request", { usage: { input_tokens: 100, output_tokens: 20 } });
  assert.equal(await host.command("tokens"), "120 tokens");
});
