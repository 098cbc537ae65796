/** The platform `telegram`: a bot with long polling, so it needs no public address. */
import { HermesError } from "#core/errors";
import type { Log } from "#core/home/log";
import type { Adapter, Draft, Inbox, ReplyTarget } from "#core/ports/platform";
import {
  createDraftingMessenger,
  MESSENGER_TIMING,
  type DraftingMessenger,
  type MessengerTiming,
} from "#gateway/adapters/shared/messenger";
import { splitText } from "#gateway/adapters/shared/split";
import { createClient } from "./client.ts";
import { telegramFailureOf } from "./failure.ts";
import { createIncoming } from "./incoming.ts";
import { pollUpdates, type PollTiming } from "./polling.ts";
import { DEFAULT_ROOT, telegramProblem } from "./settings.ts";

export interface TelegramOptions {
  /** The bot's token from @BotFather. */
  readonly token?: string | undefined;
  /** The URL of the Bot API; Telegram's own when absent. */
  readonly api_root?: string | undefined;
  readonly log: Log;
  /** Shows a sentence to the operator. */
  readonly warn: (sentence: string) => void;
  /** False while a hook may replace the final answer: then nothing is shown before it. True when absent. */
  readonly streaming?: (() => boolean) | undefined;
  readonly timing?: Partial<TelegramTiming> | undefined;
}

export type TelegramTiming = PollTiming &
  MessengerTiming & {
    /** Minimum time between two edits of a message, in private chats and in groups, which have a lower limit. */
    readonly editMs: number;
    readonly groupEditMs: number;
  };

export interface TelegramAdapter extends Adapter {
  draft(target: ReplyTarget): Draft;
}

const TIMING: TelegramTiming = {
  ...MESSENGER_TIMING,
  pollSeconds: 30,
  pollSlackMs: 20_000,
  firstPause: 500,
  longestPause: 60_000,
  editMs: 1100,
  groupEditMs: 3100,
  typingMs: 4500,
};

/** Telegram's maximum length of a message, in UTF-16 units. */
const LONGEST_PIECE = 4096;
const PLATFORM = "telegram";

/** How long `start` waits for the server's first answer. */
const START_MS = 15_000;

interface Running {
  readonly messenger: DraftingMessenger;
  /** Stops polling; resolves when it has stopped. */
  readonly endPolling: () => Promise<void>;
}

/**
 * Creates the adapter; nothing is sent before `start`, which rejects with HERMES_ADAPTER_CONFIG (no token, or an invalid
 * one) or HERMES_ADAPTER_START (the server cannot be reached). Errors and logs never contain the token.
 */
export function createTelegram(options: TelegramOptions): TelegramAdapter {
  const { token = "", api_root: apiRoot = DEFAULT_ROOT, log, warn, streaming = () => true } = options;
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
    const { username: botName } = await client.getMe(AbortSignal.timeout(START_MS)).catch((thrown: unknown) => {
      throw notStarted(thrown, apiRoot);
    });
    const messenger = createDraftingMessenger({ platform: PLATFORM, client, inbox, log, timing });
    const polling = new AbortController();
    const ended = pollUpdates({
      client,
      log,
      warn,
      timing,
      signal: polling.signal,
      hand: createIncoming({ client, inbox, arrive: messenger.arrive, log, botName }),
    });
    running = {
      messenger,
      endPolling: () => {
        polling.abort();
        return ended;
      },
    };
  }

  async function stop(): Promise<void> {
    if (running === undefined) return;
    const { messenger, endPolling } = running;
    await messenger.stop(endPolling);
    running = undefined;
  }

  return {
    name: PLATFORM,
    start,
    stop,
    async send(chatId, text, { thread_id = null, buttons } = {}) {
      if (running === undefined) throw notRunning();
      await running.messenger.send({ chat_id: chatId, thread_id }, split(text), buttons);
    },
    draft(target) {
      if (running === undefined) throw notRunning();
      const editMs = target.chat_id.startsWith("-") ? timing.groupEditMs : timing.editMs;
      return running.messenger.draft(target, { editMs, split, live: streaming() });
    },
  };
}

function split(text: string): readonly string[] {
  return splitText(text, LONGEST_PIECE);
}

function notStarted(thrown: unknown, apiRoot: string): HermesError {
  const { status, message } = telegramFailureOf(thrown);
  if (status === 401 || status === 404) {
    return unusable(`${apiRoot} rejected the token (${message}). Check gateway.platforms.telegram.token.`);
  }
  const problem = `${apiRoot} cannot be reached: ${message}`;
  return new HermesError("HERMES_ADAPTER_START", { platform: PLATFORM, problem });
}

function unusable(problem: string): HermesError {
  return new HermesError("HERMES_ADAPTER_CONFIG", { platform: PLATFORM, problem });
}

function notRunning(): HermesError {
  return new HermesError("HERMES_ADAPTER_SEND", { platform: PLATFORM, problem: "the platform is not running." });
}
