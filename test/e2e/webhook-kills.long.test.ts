import test from "node:test";
import { killWebhookSenders } from "../helpers/webhooks.ts";

test("100 processes that are killed at any moment lose nothing that was stored", async (t) => {
  await killWebhookSenders(t, 100);
});
