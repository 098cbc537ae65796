import { describePlatform } from "#gateway/adapters/descriptor";
import { discordProblem } from "./settings.ts";

/** A bot of Discord, by its gateway connection. */
export const discord = describePlatform({
  name: "discord",
  about: "a bot for direct messages, servers and threads",
  problem: discordProblem,
  async create(settings, services) {
    const { createDiscord } = await import("./adapter.ts");
    return createDiscord({ ...settings, ...services });
  },
  async setup() {
    const { discordSetup } = await import("./setup.ts");
    return discordSetup;
  },
});
