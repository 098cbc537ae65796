/** Asks Discord where its gateway is. */
import { CallFailure } from "#gateway/adapters/shared/call-failure";
import type { DiscordApi } from "./api.ts";

/** The address of the gateway connection. Rejects when the bot may not start a session now. */
export async function findGateway(api: DiscordApi, signal: AbortSignal): Promise<string> {
  const answer = await api.call("get", "/gateway/bot", { signal });
  const { url, session_start_limit: limit } = (answer ?? {}) as { url?: unknown; session_start_limit?: unknown };
  if (typeof url !== "string" || !isSocketUrl(url)) throw new CallFailure("the server does not speak Discord's API");
  const { remaining, reset_after: ms } = (limit ?? {}) as { remaining?: unknown; reset_after?: unknown };
  if (remaining === 0) {
    const minutes = typeof ms === "number" ? ` for ${Math.ceil(ms / 60_000)} minutes` : "";
    throw new CallFailure(`the bot has connected too often today; Discord refuses it${minutes}`);
  }
  return url;
}

/** True for the address of a WebSocket. */
export function isSocketUrl(text: string): boolean {
  return URL.canParse(text) && /^wss?:$/.test(new URL(text).protocol);
}
