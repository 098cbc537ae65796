/** Loads files with the bot's token, which must not go elsewhere. */
import { CallFailure } from "#gateway/adapters/shared/call-failure";
import { readBody } from "#gateway/adapters/shared/download";
import { CALL_MS } from "./caller.ts";
import type { SlackClient } from "./client.ts";

export interface DownloadOptions {
  readonly token: string;
  /** The server that `api_root` names, which may have files of its own. */
  readonly apiUrl: () => string;
}

/** Loads files with the bot's token, which goes to Slack's hosts and that of `api_root` only. */
export function createDownload({ token, apiUrl }: DownloadOptions): SlackClient["download"] {
  return async (url, most) => {
    if (!mayHaveToken(url, apiUrl())) throw new CallFailure("the file is not at Slack");
    const headers = { authorization: `Bearer ${token}` };
    // A redirect would lead to another host, or to the page for signing in.
    const response = await fetch(url, { headers, redirect: "error", signal: AbortSignal.timeout(CALL_MS) }).catch(
      () => {
        throw new CallFailure("the file cannot be loaded");
      },
    );
    if (!response.ok || response.body === null) throw new CallFailure(`no file (${response.status})`);
    if (response.headers.get("content-type")?.startsWith("text/html") === true) {
      await response.body.cancel();
      throw new CallFailure("the app may not load the file; it needs the scope files:read");
    }
    return readBody(response.body, most);
  };
}

/** True for an address that the bot's token may be sent to. */
function mayHaveToken(url: string, apiUrl: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, origin } = new URL(url);
  if (origin === new URL(apiUrl).origin) return true;
  return protocol === "https:" && (hostname === "slack.com" || hostname.endsWith(".slack.com"));
}
