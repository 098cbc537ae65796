import { describePlatform } from "#gateway/adapters/descriptor";
import type { WhatsAppAdapter } from "./adapter.ts";
import { whatsAppProblem } from "./settings.ts";

/** A business' phone number on WhatsApp, by Meta's Cloud API. */
export const whatsapp = describePlatform({
  name: "whatsapp",
  about: "a business number for direct messages; needs a public https address",
  problem: whatsAppProblem,
  setup: async () => (await import("./setup.ts")).whatsAppSetup(),
  async create(settings, services) {
    const { createWhatsApp } = await import("./adapter.ts");
    return createWhatsApp({ ...settings, ...services });
  },
  address: (adapter) => (adapter as WhatsAppAdapter).address(),
});
