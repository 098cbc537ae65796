import { describePlatform } from "#gateway/adapters/descriptor";
import type { ApiServer } from "./adapter.ts";

/** An HTTP API that OpenAI's clients speak. */
export const apiServer = describePlatform({
  name: "api_server",
  exempt: true,
  async create(settings, services) {
    const { createApiServer } = await import("./adapter.ts");
    return createApiServer({ ...settings, ...services });
  },
  // The caller names the conversation, and the name stays as it is (CONTRACT §8).
  sessionKey: ({ chat_id }) => `agent:main:api_server:dm:${chat_id}`,
  address(adapter) {
    const address = (adapter as ApiServer).address();
    return address === null ? null : `${address.url}/v1`;
  },
});
