/** The Bot API calls we use, through grammy. They only throw a TelegramFailure. */
import type { Api } from "grammy";
import type { ReplyTarget } from "#core/ports/platform";
import { BoundedMap } from "#core/bounded-map";
import type { EditingClient, TypingClient } from "#gateway/adapters/shared/message-client";
import { createTokenRedactor, telegramFailureFrom, telegramFailureOf, TelegramFailure } from "./failure.ts";

export interface TelegramClient extends EditingClient<number>, TypingClient {
  /** The bot's own name, without `@`; null when the server does not send it. */
  getUsername(signal: AbortSignal): Promise<string | null>;
  /** Waits up to `seconds` for updates from `offset` on, and confirms all earlier ones. */
  getUpdates(offset: number, seconds: number, signal: AbortSignal): Promise<readonly unknown[]>;
  /** The content of a file. Fails when it is larger than `most` bytes. */
  download(fileId: string, most: number): Promise<Buffer>;
}

/** Reads a body of at most `most` bytes. */
async function readBody(body: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > most) throw new TelegramFailure(`the file is larger than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** How long a call other than a poll may take. */
const CALL_MS = 15_000;
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
    async getUsername(signal) {
      const me: unknown = await call((own) => api.getMe(own), signal);
      if (typeof me !== "object" || me === null) throw new TelegramFailure("the server does not speak the Bot API");
      const { username } = me as { username?: unknown };
      return typeof username === "string" ? username : null;
    },
    async getUpdates(offset, seconds, signal) {
      const asked = { offset, timeout: seconds, limit: 100, allowed_updates: ["message"] as const };
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000 + pollSlackMs)]);
      const updates: unknown = await call((own) => api.getUpdates(asked, own), bounded);
      if (!Array.isArray(updates)) throw new TelegramFailure("the server does not speak the Bot API");
      return updates as unknown[];
    },
    async sendMessage(target, text, { signal } = {}) {
      const send = (chat: string, own: GrammySignal) => api.sendMessage(chat, text, thread(target), own);
      return (await callIn(target, send, signal)).message_id;
    },
    async editMessage(target, messageId, text, signal) {
      await callIn(target, (chat, own) => api.editMessageText(chat, messageId, text, {}, own), signal);
    },
    async deleteMessage(target, messageId, signal) {
      await callIn(target, (chat, own) => api.deleteMessage(chat, messageId, own), signal);
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
