/** Tells users who type the slash command where the bot is not a member why there is no answer. */
import { BoundedMap } from "#core/bounded-map";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { CallFailure } from "#gateway/adapters/shared/call-failure";
import { CALL_MS } from "./caller.ts";

export interface Uninvited {
  /** Takes the payload of a slash command. */
  readonly note: (body: unknown) => void;
  /** Takes the failure of a message in a channel. Returns at once. */
  readonly tell: (channel: string, failure: CallFailure) => void;
}

const MOST_CHANNELS = 200;
/** An address for responses is valid for 30 minutes (https://docs.slack.dev/interactivity/handling-user-interaction). */
const VALID_MS = 30 * 60_000;
const NOT_A_MEMBER = /\((?:not_in_channel|channel_not_found)\)$/;
const SENTENCE = "I can't write here. Invite me to the channel with /invite, or send me a direct message.";

export interface UninvitedOptions {
  /** The server that `api_root` names. */
  readonly apiUrl: () => string;
  readonly log: Log;
}

export function createUninvited({ apiUrl, log }: UninvitedOptions): Uninvited {
  const known = new BoundedMap<string, { readonly url: string; readonly until: number }>(MOST_CHANNELS);

  async function post(url: string): Promise<void> {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      // Only the user who typed the command sees it.
      body: JSON.stringify({ response_type: "ephemeral", text: SENTENCE }),
      redirect: "error",
      signal: AbortSignal.timeout(CALL_MS),
    });
    await response.body?.cancel();
  }

  return {
    note(body) {
      const { channel_id: channel, response_url: url } = (body ?? {}) as Record<string, unknown>;
      if (typeof channel !== "string" || typeof url !== "string" || !isSlacks(url, apiUrl())) return;
      known.set(channel, { url, until: performance.now() + VALID_MS });
    },
    tell(channel, { message }) {
      const response = known.get(channel);
      if (response === undefined || !NOT_A_MEMBER.test(message)) return;
      known.delete(channel);
      if (response.until < performance.now()) return;
      post(response.url).catch((error: unknown) =>
        log.debug(`slack: a user could not be told that the bot is not in the channel: ${problemOf(error)}`),
      );
    },
  };
}

function isSlacks(url: string, apiUrl: string): boolean {
  if (!URL.canParse(url)) return false;
  const { origin } = new URL(url);
  return origin === "https://hooks.slack.com" || origin === new URL(apiUrl).origin;
}
