import { describePlatform } from "#gateway/adapters/descriptor";
import { telegramProblem } from "./settings.ts";

/** A bot of Telegram, by long polling. */
export const telegram = describePlatform({
  name: "telegram",
  about: "a bot for direct messages, groups and topics",
  problem: telegramProblem,
  setup: async () => (await import("./setup.ts")).telegramSetup,
  async create({ token, api_root }, { log, warn, streaming }) {
    const { createTelegram } = await import("./adapter.ts");
    return createTelegram({ token, api_root, log, warn, streaming });
  },
});
