/** The running parts of the adapter, and how they end. */
import type { Inbox } from "#core/ports/platform";
import { createArrivals } from "#gateway/adapters/shared/arrivals";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import { createHousekeeping, type Housekeeping } from "#gateway/adapters/shared/housekeeping";
import { createOutage } from "#gateway/adapters/shared/outage";
import { createOutgoing, type Outgoing } from "#gateway/adapters/shared/outgoing";
import { createTyping } from "#gateway/adapters/shared/typing";
import { findSlackAccount, slackRedactor, socketError } from "./account.ts";
import { createClient, createDownload, type SlackClient } from "./client.ts";
import { openConnection } from "./connection.ts";
import { createIncoming } from "./incoming.ts";
import { createUserNames } from "./names.ts";
import { createPace } from "./pace.ts";
import { stayConnected } from "./socket.ts";
import type { SlackOptions, SlackTiming } from "./options.ts";
import { watchToken } from "./token-watch.ts";

export interface SlackParts {
  readonly client: SlackClient;
  readonly outgoing: Outgoing;
  readonly housekeeping: Housekeeping;
  /** Receives no more, sends what is on its way, and ends. */
  stop(): Promise<void>;
}

const PLATFORM = "slack";
/** How much longer pauses become while only the operator can do something about the token. */
const PATIENCE = 5;

/** Rejects with HERMES_ADAPTER_CONFIG or HERMES_ADAPTER_START; nothing is running then. */
export async function startParts(options: SlackOptions, timing: SlackTiming, inbox: Inbox): Promise<SlackParts> {
  const {
    bot_token: botToken = "",
    app_token: appToken = "",
    api_root: apiRoot,
    log,
    warn,
    threads,
    isCommand,
  } = options;
  const redact = slackRedactor([botToken, appToken]);
  const { account, root, call, notes } = await findSlackAccount({ botToken, apiRoot, redact, log });
  for (const note of notes) warn(`slack: ${note}`);

  const [listening, sending] = [new AbortController(), new AbortController()];
  const backoff = { firstPause: timing.tokenMs, longestPause: timing.longestPause * PATIENCE };
  const client = createClient({
    call: watchToken({ call, warn, backoff, signal: listening.signal }),
    pace: createPace(timing),
    download: createDownload({ token: botToken, apiUrl: () => root.url }),
    lookupMs: timing.lookupMs,
    closing: sending.signal,
  });
  const housekeeping = createHousekeeping({ platform: PLATFORM, log, timing, closing: sending.signal });
  const outgoing = createOutgoing({ platform: PLATFORM, client, timing, housekeeping, signal: sending.signal });
  const typing = createTyping(client, timing);
  const arrive = createArrivals({ platform: PLATFORM, inbox, typing, log });
  const ready = Promise.withResolvers<void>();
  const take = createIncoming({
    client,
    names: createUserNames(client, log),
    threads,
    userId: account.userId,
    isCommand,
    arrive: (arrival) => {
      const { source } = arrival.message;
      // Slack takes the status away when we write, but not every message gets an answer.
      void arrive(arrival).then(() => housekeeping.later(source.chat_id, () => client.hideTyping(source)));
    },
    ready: ready.promise,
    log,
  });
  const socket = await stayConnected({
    open: (signal) => openConnection({ appToken, root, redact, log, timing, take }, signal),
    outage: createOutage({ platform: PLATFORM, log, warn, backoff: timing }),
    log,
    timing,
    signal: listening.signal,
  }).catch((thrown: unknown) => {
    listening.abort();
    throw socketError(callFailureOf(thrown), root.url);
  });
  // The gateway uses the platform once `start` has resolved.
  setImmediate(ready.resolve);
  return {
    client,
    outgoing,
    housekeeping,
    async stop() {
      const late = setTimeout(() => sending.abort(), timing.stopMs);
      typing.stop();
      listening.abort();
      await socket.ended;
      await Promise.all([outgoing.idle(), housekeeping.idle()]);
      clearTimeout(late);
    },
  };
}
