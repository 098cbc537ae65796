import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

const source = { platform: "irc", chat_type: "dm", chat_id: "1", user_id: "1", thread_id: null };
const sample = { text: "hello", source, message_id: "1", internal: false };

test("ignore-bots", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  const event = { ...sample, source: { ...sample.source, user_id: "bot-7" } };
  assert.deepEqual(await host.fire("pre_gateway_dispatch", { event }), { action: "skip", reason: "a bot" });
  assert.equal(await host.fire("pre_gateway_dispatch", { event: sample }), null);
});
