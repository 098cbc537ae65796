/** The platform `whatsapp`: a phone number of a business, by Meta's Cloud API and its webhook. */
import type { DatabaseSync } from "node:sqlite";
import type { FastifyInstance } from "fastify";
import { HermesError } from "#core/errors";
import { parseAddress } from "#core/home/logging-settings";
import type { Log } from "#core/home/log";
import type { Adapter, Inbox } from "#core/ports/platform";
import { addressOf, hangUp, listen } from "#gateway/adapters/shared/listening";
import { notListening } from "#gateway/adapters/shared/not-listening";
import {
  createMessenger,
  MESSENGER_TIMING,
  type Messenger,
  type MessengerTiming,
} from "#gateway/adapters/shared/messenger";
import { createClient } from "./client.ts";
import { connect } from "./connection.ts";
import { createIncoming } from "./incoming.ts";
import { KeptMessages } from "./kept-messages.ts";
import { RecentMessages } from "./recent-messages.ts";
import { watchSending } from "./sending-watch.ts";
import { DEFAULT_BIND, DEFAULT_PATH, DEFAULT_ROOT, whatsAppProblem, type WhatsAppSettings } from "./settings.ts";
import { piecesOf } from "./text-form.ts";
import { createWebhook } from "./webhook.ts";

export interface WhatsAppOptions extends WhatsAppSettings {
  /** For messages that have to survive the program. */
  readonly database: DatabaseSync;
  readonly log: Log;
  /** Shows a sentence to the operator. */
  readonly warn: (sentence: string) => void;
  readonly timing?: Partial<MessengerTiming> | undefined;
}

export interface WhatsAppAdapter extends Adapter {
  /** The URL of the webhook; null while it does not listen. */
  address(): string | null;
}

// WhatsApp hides the typing after 25 seconds.
const TIMING: MessengerTiming = { ...MESSENGER_TIMING, typingMs: 20_000 };

const PLATFORM = "whatsapp";

interface Running {
  readonly app: FastifyInstance;
  readonly messenger: Messenger;
  readonly close: () => Promise<void>;
}

/**
 * Creates the adapter; it listens after `start`, which rejects with HERMES_ADAPTER_CONFIG (a setting is missing, the
 * token is wrong or lacks a permission) or HERMES_ADAPTER_START (the server cannot be reached, the port is in use).
 * Errors and logs contain neither the token nor the app secret.
 */
export function createWhatsApp(options: WhatsAppOptions): WhatsAppAdapter {
  const { token = "", app_secret: appSecret = "", verify_token: verifyToken = "", log, warn } = options;
  const { bind = DEFAULT_BIND, path = DEFAULT_PATH, api_root: root = DEFAULT_ROOT } = options;
  const phoneNumberId = String(options.phone_number_id ?? "");
  const timing = { ...TIMING, ...options.timing };
  let running: Running | undefined;

  async function start(inbox: Inbox): Promise<void> {
    if (running !== undefined) return;
    const problem = whatsAppProblem(options);
    if (problem !== undefined) throw new HermesError("HERMES_ADAPTER_CONFIG", { platform: PLATFORM, problem });
    const { graph } = await connect({ token, phoneNumberId, root });
    const recent = new RecentMessages();
    const calls = createClient({
      graph,
      phoneNumberId,
      newestFrom: (user) => recent.newestFrom(user),
      onSent: (id, text) => recent.note(id, { speaker: "you", text }),
    });
    const client = watchSending(calls, { platform: PLATFORM, log, warn });
    const messenger = createMessenger({ platform: PLATFORM, client, inbox, log, timing });
    const incoming = createIncoming({
      platform: PLATFORM,
      phoneNumberId,
      client,
      graph,
      kept: new KeptMessages(options.database, PLATFORM, log),
      recent,
      arrive: messenger.arrive,
      isOpen: () => inbox.isOpen(),
      log,
    });
    const app = await createWebhook({
      platform: PLATFORM,
      path,
      verifyToken,
      appSecret,
      isOpen: () => inbox.isOpen(),
      take: (body) => incoming.take(body),
      log,
    });
    await open(app, graph);
    // Answers can be sent once `start` has resolved.
    const resume = setImmediate(() => incoming.resume());

    async function close(): Promise<void> {
      clearImmediate(resume);
      await messenger.stop(() => hangUp(app));
      await graph.close();
    }
    running = { app, messenger, close };
  }

  async function open(app: FastifyInstance, graph: { close(): Promise<void> }): Promise<void> {
    // The settings were checked.
    const { host, port } = parseAddress(bind)!;
    try {
      await listen(app, host, port);
    } catch (thrown) {
      await Promise.all([app.close(), graph.close()]);
      throw notListening(thrown, { platform: PLATFORM, host, port, hostKey: "bind", portKey: "bind" });
    }
  }

  return {
    name: PLATFORM,
    start,
    async stop() {
      const stopping = running;
      await stopping?.close();
      running = undefined;
    },
    async send(chatId, text, { buttons } = {}) {
      if (running === undefined) throw notRunning();
      await running.messenger.send({ chat_id: chatId, thread_id: null }, piecesOf(text, buttons), buttons);
    },
    address: () => (running === undefined ? null : `${addressOf(running.app).url}${path}`),
  };
}

function notRunning(): HermesError {
  return new HermesError("HERMES_ADAPTER_SEND", { platform: PLATFORM, problem: "the platform is not running." });
}
