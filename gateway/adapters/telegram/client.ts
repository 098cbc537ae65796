/** The Bot API calls we use, through grammy. They only throw a TelegramFailure. */
import type { Api } from "grammy";
import type { InlineKeyboardMarkup } from "grammy/types";
import type { ReplyButtons, ReplyTarget } from "#core/ports/platform";
import { BoundedMap } from "#core/bounded-map";
import { isMapping } from "#core/mapping";
import { readBody } from "#gateway/adapters/shared/download";
import type { EditingClient, TypingClient } from "#gateway/adapters/shared/message-client";
import { createTokenRedactor, telegramFailureFrom, telegramFailureOf, TelegramFailure } from "./failure.ts";

export interface TelegramClient extends EditingClient<number>, TypingClient {
  getMe(signal: AbortSignal): Promise<TelegramBot>;
  /** Waits up to `seconds` for updates from `offset` on, and confirms all earlier ones. */
  getUpdates(offset: number, seconds: number, signal: AbortSignal): Promise<readonly unknown[]>;
  /** Tells the user's app that the press of a button has arrived; until then it shows that it waits. */
  answerPress(id: string): Promise<void>;
  /** The content of a file. Fails when it is larger than `most` bytes. */
  download(fileId: string, most: number): Promise<Buffer>;
}

/** What the server says of the bot. */
export interface TelegramBot {
  /** Without `@`; null when the server does not send it. */
  readonly username: string | null;
  /** False when the bot only gets commands and replies in groups. */
  readonly readsGroups: boolean;
}

/** How long a call other than a poll may take. */
const CALL_MS = 15_000;
/** The kinds of updates that the server is asked for. */
const UPDATES = ["message", "callback_query"] as const;
/** Bot API, InlineKeyboardButton: `callback_data` has 1 to 64 bytes. */
const LONGEST_DATA = 64;
/** How many groups with a new id are remembered; others are found out again. */
const MOST_MOVED = 1000;

type GrammySignal = Parameters<Api["getMe"]>[0];

export async function createClient(options: {
  readonly token: string;
  readonly apiRoot: string;
  /** How much longer than requested a poll may take before the connection is considered dead. */
  readonly pollSlackMs: number;
  /** Called when a group has a new id. */
  readonly onMoved: (from: string, to: string) => void;
}): Promise<TelegramClient> {
  const { Api: GrammyApi } = await import("grammy");
  const { token, apiRoot, pollSlackMs, onMoved } = options;
  const moved = new BoundedMap<string, string>(MOST_MOVED);
  const redact = createTokenRedactor(token);
  // grammy rejects a trailing slash.
  const root = apiRoot.replace(/\/+$/, "");
  const api = new GrammyApi(token, { apiRoot: root });

  async function call<Value>(run: (signal: GrammySignal) => Promise<Value>, signal?: AbortSignal): Promise<Value> {
    try {
      // grammy's type comes from a polyfill for old Node versions; Node's own signal is compatible.
      return await run((signal ?? AbortSignal.timeout(CALL_MS)) as unknown as GrammySignal);
    } catch (thrown) {
      throw telegramFailureFrom(thrown, redact);
    }
  }

  /** A call for a chat, which is made for its new id if it has one. */
  async function callIn<Value>(
    { chat_id: chat }: ReplyTarget,
    run: (chat: string, signal: GrammySignal) => Promise<Value>,
    signal?: AbortSignal,
  ): Promise<Value> {
    try {
      return await call((own) => run(moved.get(chat) ?? chat, own), signal);
    } catch (thrown) {
      const { movedTo: to } = telegramFailureOf(thrown);
      if (to === null || to === moved.get(chat)) throw thrown;
      moved.set(chat, to);
      onMoved(chat, to);
      return call((own) => run(to, own), signal);
    }
  }

  const thread = ({ thread_id: id }: ReplyTarget) => (id === null ? {} : { message_thread_id: Number(id) });

  return {
    async getMe(signal) {
      const me: unknown = await call((own) => api.getMe(own), signal);
      if (!isMapping(me)) throw new TelegramFailure("the server does not speak the Bot API");
      const { username, can_read_all_group_messages: all } = me;
      return { username: typeof username === "string" ? username : null, readsGroups: all !== false };
    },
    async getUpdates(offset, seconds, signal) {
      const asked = { offset, timeout: seconds, limit: 100, allowed_updates: UPDATES };
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000 + pollSlackMs)]);
      const updates: unknown = await call((own) => api.getUpdates(asked, own), bounded);
      if (!Array.isArray(updates)) throw new TelegramFailure("the server does not speak the Bot API");
      return updates as unknown[];
    },
    async sendMessage(target, text, { signal, buttons } = {}) {
      const other = { ...thread(target), ...(buttons === undefined ? {} : { reply_markup: keyboardOf(buttons) }) };
      const send = (chat: string, own: GrammySignal) => api.sendMessage(chat, text, other, own);
      return (await callIn(target, send, signal)).message_id;
    },
    async editMessage(target, messageId, text, signal) {
      await callIn(target, (chat, own) => api.editMessageText(chat, messageId, text, {}, own), signal);
    },
    async deleteMessage(target, messageId, signal) {
      await callIn(target, (chat, own) => api.deleteMessage(chat, messageId, own), signal);
    },
    async removeButtons(target, { id }, signal) {
      await callIn(target, (chat, own) => api.editMessageReplyMarkup(chat, id, {}, own), signal);
    },
    async answerPress(id) {
      await call((own) => api.answerCallbackQuery(id, {}, own));
    },
    download(fileId, most) {
      return call(async (own) => {
        const { file_path: path } = await api.getFile(fileId, own);
        if (path === undefined) throw new TelegramFailure("the server does not give the file");
        const address = `${root}/file/bot${token}/${path}`;
        const response = await fetch(address, { redirect: "error", signal: AbortSignal.timeout(CALL_MS) });
        if (!response.ok || response.body === null) throw new TelegramFailure(`no file (${response.status})`);
        return readBody(response.body, most);
      });
    },
    async showTyping(target) {
      await callIn(target, (chat, own) => api.sendChatAction(chat, "typing", thread(target), own));
    },
  };
}

/** One row of buttons. One whose message is too long is left out: the text says what to write. */
function keyboardOf({ choices }: ReplyButtons): InlineKeyboardMarkup {
  const row = choices.filter(({ message }) => Buffer.byteLength(message) <= LONGEST_DATA);
  return {
    inline_keyboard: [
      row.map(({ label, message, style }) => ({ text: label, callback_data: message, ...(style && { style }) })),
    ],
  };
}
