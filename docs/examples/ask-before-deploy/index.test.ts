import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("ask-before-deploy", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  const answer = await host.fire("pre_tool_call", { args: { command: "make deploy" } });
  assert.equal(answer?.["action"], "ask");
  assert.equal(await host.fire("pre_tool_call", { args: { command: "make test" } }), null);
});
