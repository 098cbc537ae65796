/** The platform `telegram`: a bot with long polling, so it needs no public address. */
import { HermesError } from "#core/errors";
import type { Log } from "#core/home/log";
import type { Adapter, Draft, Inbox, ReplyTarget } from "#core/ports/platform";
import { createClient, type TelegramClient } from "./client.ts";
import { createDraft, type DraftTiming } from "./draft.ts";
import { telegramFailureOf } from "./failure.ts";
import { createHousekeeping, type Housekeeping, type HousekeepingTiming } from "./housekeeping.ts";
import { createIncoming } from "./incoming.ts";
import { createOutgoing, sendFinished, type Outgoing, type OutgoingTiming } from "./outgoing.ts";
import { pollUpdates, type PollTiming } from "./polling.ts";
import { telegramProblem } from "./settings.ts";
import { splitText } from "./split.ts";
import { createTyping, type TypingTiming } from "./typing.ts";

export interface TelegramOptions {
  /** The bot's token from @BotFather. */
  readonly token?: string | undefined;
  /** The URL of the Bot API; Telegram's own when absent. */
  readonly api_root?: string | undefined;
  readonly log: Log;
  /** False while a hook may replace the final answer: then nothing is shown before it. True when absent. */
  readonly streaming?: (() => boolean) | undefined;
  readonly timing?: Partial<TelegramTiming> | undefined;
}

export type TelegramTiming = PollTiming &
  OutgoingTiming &
  HousekeepingTiming &
  DraftTiming &
  TypingTiming & {
    /** How long `stop` waits for messages on their way. */
    readonly stopMs: number;
  };

export interface TelegramAdapter extends Adapter {
  draft(target: ReplyTarget): Draft;
}

const TIMING: TelegramTiming = {
  pollSeconds: 30,
  pollSlackMs: 20_000,
  firstPause: 500,
  longestPause: 60_000,
  retryMs: 500,
  budgetMs: 40_000,
  tidyCallMs: 5000,
  tidyMs: 120_000,
  settleMs: 1000,
  editMs: 1100,
  groupEditMs: 3100,
  typingDelayMs: 1000,
  typingMs: 4500,
  stopMs: 4000,
};

/** How long `start` waits for the server's first answer. */
const START_MS = 15_000;

interface Running {
  readonly client: TelegramClient;
  readonly outgoing: Outgoing;
  readonly housekeeping: Housekeeping;
  /** Stops polling; resolves when it has stopped. */
  readonly endPolling: () => Promise<void>;
  /** Cuts short the waits of messages being sent. */
  readonly giveUp: () => void;
}

/**
 * Creates the adapter; nothing is sent before `start`, which rejects with HERMES_ADAPTER_CONFIG (no token, or an invalid
 * one) or HERMES_ADAPTER_START (the server cannot be reached). Errors and logs never contain the token.
 */
export function createTelegram(options: TelegramOptions): TelegramAdapter {
  const { token = "", api_root: apiRoot = "https://api.telegram.org", log, streaming = () => true } = options;
  const timing = { ...TIMING, ...options.timing };
  let running: Running | undefined;

  async function start(inbox: Inbox): Promise<void> {
    if (running !== undefined) return;
    const problem = telegramProblem({ token });
    if (problem !== undefined) throw unusable(problem);
    const client = await createClient({
      token,
      apiRoot,
      pollSlackMs: timing.pollSlackMs,
      onMoved: (from, to) => inbox.moved?.(from, to),
    });
    const botName = await client.getUsername(AbortSignal.timeout(START_MS)).catch((thrown: unknown) => {
      throw notStarted(thrown, apiRoot);
    });
    const typing = createTyping(client, timing);
    const [polling, sending] = [new AbortController(), new AbortController()];
    const ended = pollUpdates({
      client,
      log,
      timing,
      signal: polling.signal,
      hand: createIncoming({ client, inbox, typing, log, botName }),
    });
    const housekeeping = createHousekeeping(log, timing, sending.signal);
    running = {
      client,
      outgoing: createOutgoing({ client, timing, housekeeping, signal: sending.signal }),
      housekeeping,
      endPolling: () => {
        typing.stop();
        polling.abort();
        return ended;
      },
      giveUp: () => sending.abort(),
    };
  }

  async function stop(): Promise<void> {
    if (running === undefined) return;
    const { outgoing, housekeeping, endPolling, giveUp } = running;
    const late = setTimeout(giveUp, timing.stopMs);
    await endPolling();
    await Promise.all([outgoing.idle(), housekeeping.idle()]);
    clearTimeout(late);
    running = undefined;
  }

  return {
    name: "telegram",
    start,
    stop,
    async send(chatId, text, { thread_id = null } = {}) {
      if (running === undefined) throw notRunning();
      await sendFinished(running.outgoing, { chat_id: chatId, thread_id }, splitText(text));
    },
    draft(target) {
      if (running === undefined) throw notRunning();
      const { client, outgoing, housekeeping } = running;
      return createDraft({ client, outgoing, housekeeping, log, timing, live: streaming() }, target);
    },
  };
}

function notStarted(thrown: unknown, apiRoot: string): HermesError {
  const { status, message } = telegramFailureOf(thrown);
  if (status === 401 || status === 404) {
    return unusable(`${apiRoot} rejected the token (${message}). Check gateway.platforms.telegram.token.`);
  }
  const problem = `${apiRoot} cannot be reached: ${message}`;
  return new HermesError("HERMES_ADAPTER_START", { platform: "telegram", problem });
}

function unusable(problem: string): HermesError {
  return new HermesError("HERMES_ADAPTER_CONFIG", { platform: "telegram", problem });
}

function notRunning(): HermesError {
  return new HermesError("HERMES_ADAPTER_SEND", { platform: "telegram", problem: "the platform is not running." });
}
