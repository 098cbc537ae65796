/** A message's way to its answer: turns, sessions, drafts, hooks. */
import assert from "node:assert/strict";
import test from "node:test";
import { createGatewayBench } from "../helpers/gateway-bench.ts";

test("a message is answered in its chat, and the next one goes on with the same session", async (t) => {
  const { adapter, gateway } = await createGatewayBench(t);
  await adapter.receive("hello");
  await adapter.receive("again");
  assert.match(adapter.sent[0]!.text, /^hello\n\n\(This is the offline model/);
  assert.deepEqual(adapter.sent[1], { chat_id: "1", text: "again", thread_id: null });
  assert.equal(gateway.active(), 0);
});
