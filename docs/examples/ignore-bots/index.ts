import { definePlugin } from "hermes-hooks/plugin";

/** Skips messages of bots in the gateway. */
export default definePlugin({
  hooks: {
    pre_gateway_dispatch: ({ event }) =>
      event.source.user_id.startsWith("bot-") ? { action: "skip", reason: "a bot" } : undefined,
  },
});
