/** Hands updates to the gateway: in order per chat, with the images of their messages. */
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { ChatImage } from "#core/messages";
import type { InboundMessage, Inbox } from "#core/ports/platform";
import { LARGEST_FILE } from "./attachments.ts";
import type { TelegramClient } from "./client.ts";
import { telegramFailureOf } from "./failure.ts";
import type { Typing } from "./typing.ts";
import { imageOf, messageFrom, migrationOf } from "./updates.ts";

export interface IncomingDeps {
  readonly client: Pick<TelegramClient, "download">;
  readonly inbox: Inbox;
  readonly typing: Typing;
  readonly log: Log;
  readonly botName: string | null;
}

const NOT_LOADED = "\n\n(An image was sent with this message, but it could not be loaded.)";

/** Returns a function that takes an update and resolves when its message is done. It never rejects. */
export function createIncoming(deps: IncomingDeps): (update: unknown) => Promise<void> {
  const { client, inbox, typing, log, botName } = deps;
  /** Messages that are being loaded, by chat: the next ones wait for them. */
  const loading = new Map<string, Promise<unknown>>();

  async function load(message: InboundMessage, fileId: string): Promise<InboundMessage> {
    try {
      const data = await client.download(fileId, LARGEST_FILE);
      // Telegram turns every photo into a JPEG.
      const image: ChatImage = { media_type: "image/jpeg", data: data.toString("base64") };
      return { ...message, images: [image] };
    } catch (thrown) {
      log.warn(`telegram: an image could not be loaded: ${telegramFailureOf(thrown).message}`);
      return { ...message, text: message.text + NOT_LOADED };
    }
  }

  async function inOrder(message: InboundMessage, fileId: string | null): Promise<InboundMessage> {
    const { chat_id: chat } = message.source;
    const before = loading.get(chat);
    if (before === undefined && fileId === null) return message;
    const loaded = fileId === null ? message : load(message, fileId);
    const ready = Promise.all([loaded, before]);
    loading.set(chat, ready);
    const [whole] = await ready;
    if (loading.get(chat) === ready) loading.delete(chat);
    return whole;
  }

  return async (update) => {
    try {
      const migration = migrationOf(update);
      if (migration !== null) return inbox.moved?.(migration.from, migration.to);
      const message = messageFrom(update, botName);
      if (message === null) return;
      const hasWords = message.unreadable === undefined && !message.text.startsWith("/");
      const fileId = hasWords ? imageOf(update) : null;
      // An await would let later messages overtake this one.
      const isReady = fileId === null && !loading.has(message.source.chat_id);
      const whole = isReady ? message : await inOrder(message, fileId);
      await typing.while(message.source, inbox.receive(whole));
    } catch (error) {
      // An update of an unknown form is dropped.
      log.warn(`telegram: an update could not be processed: ${problemOf(error)}`);
    }
  };
}
