/** The platform `discord`: a bot by its gateway connection, so it needs no public address. */
import { HermesError } from "#core/errors";
import type { Log } from "#core/home/log";
import type { PlatformSettings } from "#core/home/platform-settings";
import type { Adapter, Draft, Inbox, ReplyTarget } from "#core/ports/platform";
import type { AdapterServices } from "#gateway/adapters/descriptor";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import {
  createDraftingMessenger,
  MESSENGER_TIMING,
  type DraftingMessenger,
  type MessengerTiming,
} from "#gateway/adapters/shared/messenger";
import { createOutage } from "#gateway/adapters/shared/outage";
import { createRedactor } from "#gateway/adapters/shared/redaction";
import { openAccount, type Account } from "./account.ts";
import { createChannels } from "./channels.ts";
import { createClient } from "./client.ts";
import { CONTENT_REFUSAL } from "./close-codes.ts";
import { registerCommands } from "./commands.ts";
import { createConnection, type ConnectionTiming } from "./connection.ts";
import { findGateway } from "./gateway-address.ts";
import { createIncoming } from "./incoming.ts";
import { createInteractions } from "./interactions.ts";
import { createSessionStore } from "./session-store.ts";
import { discordProblem } from "./settings.ts";
import { formatPieces } from "./style.ts";

export interface DiscordOptions
  extends Omit<PlatformSettings<"discord">, "enabled" | "allowed_users">, Partial<Pick<AdapterServices, "streaming">> {
  readonly log: Log;
  readonly warn: AdapterServices["warn"];
  readonly commands: AdapterServices["commands"];
  readonly database: AdapterServices["database"];
  readonly timing?: Partial<DiscordTiming> | undefined;
}

export type DiscordTiming = ConnectionTiming &
  MessengerTiming & {
    /** Minimum time between two edits of a draft: Discord allows five calls in five seconds to a channel. */
    readonly editMs: number;
  };

export interface DiscordAdapter extends Adapter {
  draft(target: ReplyTarget): Draft;
}

const TIMING: DiscordTiming = {
  ...MESSENGER_TIMING,
  firstPause: 500,
  longestPause: 60_000,
  identify: { firstPause: 5500, longestPause: 300_000 },
  startMs: 30_000,
  helloMs: 20_000,
  closeMs: 1500,
  tidyCallMs: 8000,
  editMs: 1200,
  // Discord shows it for ten seconds.
  typingMs: 8000,
};

const PLATFORM = "discord";

interface Running {
  readonly messenger: DraftingMessenger;
  /** Stops receiving; resolves when the connection is closed. */
  readonly endReceiving: () => Promise<void>;
  readonly close: () => void;
}

/**
 * Creates the adapter; nothing is sent before `start`, which rejects with HERMES_ADAPTER_CONFIG (no token, or an invalid
 * one) or HERMES_ADAPTER_START (Discord cannot be reached, or does not let the bot read messages). Errors and logs never
 * contain the token.
 */
export function createDiscord(options: DiscordOptions): DiscordAdapter {
  const { token = "", log, streaming = () => true } = options;
  const timing = { ...TIMING, ...options.timing };
  const redact = createRedactor(secretsOf(token));
  let running: Running | undefined;

  async function start(inbox: Inbox): Promise<void> {
    if (running !== undefined) return;
    const problem = discordProblem(options);
    if (problem !== undefined) throw new HermesError("HERMES_ADAPTER_CONFIG", { platform: PLATFORM, problem });
    const signal = AbortSignal.timeout(timing.startMs);
    const account = await openAccount({ token, root: options.api_root, redact, signal });
    running = await connect(account, inbox, signal).catch((thrown: unknown) => {
      account.api.close();
      throw notStarted(callFailureOf(thrown).message);
    });
  }

  async function connect(account: Account, inbox: Inbox, signal: AbortSignal): Promise<Running> {
    const { api, botId, applicationId, mayRead } = account;
    if (!mayRead) throw new Error(`${CONTENT_REFUSAL.problem}. ${CONTENT_REFUSAL.advice}`);
    const gatewayUrl = await findGateway(api, signal);
    const client = createClient(api, { applicationId, warn: options.warn });
    const messenger = createDraftingMessenger({ platform: PLATFORM, client, inbox, log, timing });
    const connection = createConnection({
      token,
      gatewayUrl,
      log,
      redact,
      timing,
      outage: createOutage({ platform: PLATFORM, log, warn: options.warn, backoff: timing }),
      store: createSessionStore(options.database, botId, log),
      onDispatch: createIncoming({
        client,
        channels: createChannels({ client, botId, log }),
        interactions: createInteractions(client, log),
        arrive: messenger.arrive,
        botId,
        allowed: allowedChannels(options.allowed_channels),
        log,
      }),
    });
    await connection.start();
    void registerCommands(client, options.commands(), log);
    return { messenger, endReceiving: () => connection.stop(), close: () => api.close() };
  }

  async function stop(): Promise<void> {
    if (running === undefined) return;
    const { messenger, endReceiving, close } = running;
    await messenger.stop(endReceiving);
    close();
    running = undefined;
  }

  return {
    name: PLATFORM,
    start,
    stop,
    async send(chatId, text, { thread_id = null, buttons } = {}) {
      if (running === undefined) throw notRunning();
      await running.messenger.send({ chat_id: chatId, thread_id }, formatPieces(text, buttons), buttons);
    },
    draft(target) {
      if (running === undefined) throw notRunning();
      return running.messenger.draft(target, {
        editMs: timing.editMs,
        split: (text) => formatPieces(text),
        live: streaming(),
      });
    },
  };
}

/** The token, and its last part, which is the secret one. */
function secretsOf(token: string): readonly string[] {
  return [token, token.split(".").at(-1) ?? ""];
}

function allowedChannels(given: readonly (string | number)[] | undefined): ReadonlySet<string> | null {
  const ids = (given ?? []).map(String);
  return ids.length === 0 || ids.includes("*") ? null : new Set(ids);
}

function notStarted(problem: string): HermesError {
  return new HermesError("HERMES_ADAPTER_START", { platform: PLATFORM, problem });
}

function notRunning(): HermesError {
  return new HermesError("HERMES_ADAPTER_SEND", { platform: PLATFORM, problem: "the platform is not running." });
}
