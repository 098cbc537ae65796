import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("date-context", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  const answer = await host.fire("pre_llm_call");
  assert.match(String(answer?.["context"]), /^Today is \d{4}-\d\d-\d\d\.$/);
});
