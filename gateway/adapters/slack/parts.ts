/** The running parts of the adapter, and how they end. */
import type { Inbox } from "#core/ports/platform";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import { createDraftingMessenger, type DraftingMessenger } from "#gateway/adapters/shared/messenger";
import { createOutage } from "#gateway/adapters/shared/outage";
import { findSlackAccount, slackRedactor, socketError } from "./account.ts";
import { createClient } from "./client.ts";
import { openConnection, type Envelope } from "./connection.ts";
import { createDownload } from "./download.ts";
import { createIncoming } from "./incoming.ts";
import { createUserNames } from "./names.ts";
import { createPace } from "./pace.ts";
import { stayConnected } from "./socket.ts";
import type { SlackOptions, SlackTiming } from "./options.ts";
import { watchToken } from "./token-watch.ts";
import { createUninvited } from "./uninvited.ts";

export interface SlackParts {
  readonly messenger: DraftingMessenger;
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
  const uninvited = createUninvited({ apiUrl: () => root.url, log });
  const client = createClient({
    call: watchToken({ call, warn, backoff, signal: listening.signal }),
    pace: createPace(timing),
    download: createDownload({ token: botToken, apiUrl: () => root.url }),
    onUnsent: uninvited.tell,
    lookupMs: timing.lookupMs,
    closing: sending.signal,
  });
  const messenger = createDraftingMessenger({ platform: PLATFORM, client, inbox, log, timing, sending });
  const ready = Promise.withResolvers<void>();
  const receive = createIncoming({
    client,
    names: createUserNames(client, log),
    threads,
    userId: account.userId,
    isCommand,
    arrive: (arrival) => {
      const { source } = arrival.message;
      // Slack takes the status away when we write, but not every message gets an answer.
      void messenger.arrive(arrival).then(() => messenger.later(source.chat_id, () => client.hideTyping(source)));
    },
    ready: ready.promise,
    log,
  });
  function take(envelope: Envelope): Promise<void> {
    if (envelope.type === "slash_commands") uninvited.note(envelope.body);
    return receive(envelope);
  }

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
    messenger,
    stop: () =>
      messenger.stop(() => {
        listening.abort();
        return socket.ended;
      }),
  };
}
