import { describePlatform } from "#gateway/adapters/descriptor";
import type { ApiServer } from "./adapter.ts";
import { apiServerProblem } from "./settings.ts";

/** An HTTP API that OpenAI's clients speak. */
export const apiServer = describePlatform({
  name: "api_server",
  about: "an HTTP server for programs that use OpenAI's API",
  problem: apiServerProblem,
  setup: async () => (await import("./setup.ts")).apiServerSetup(),
  exempt: true,
  async create(settings, services) {
    const { createApiServer } = await import("./adapter.ts");
    return createApiServer({ ...settings, ...services });
  },
  address(adapter) {
    const address = (adapter as ApiServer).address();
    return address === null ? null : `${address.url}/v1`;
  },
});
