/** The Bot API calls we use, through grammy. They only throw a TelegramFailure. */
import type { Api } from "grammy";
import type { ReplyTarget } from "#core/ports/platform";
import { createTokenRedactor, telegramFailureFrom, TelegramFailure } from "./failure.ts";

export interface TelegramClient {
  /** The bot's own name, without `@`; null when the server does not send it. */
  getUsername(signal: AbortSignal): Promise<string | null>;
  /** Waits up to `seconds` for updates from `offset` on, and confirms all earlier ones. */
  getUpdates(offset: number, seconds: number, signal: AbortSignal): Promise<readonly unknown[]>;
  /** Returns the message's id. `signal` ends this call and the next two; without one they have 15 s. */
  sendMessage(target: ReplyTarget, text: string, signal?: AbortSignal): Promise<number>;
  editMessage(target: ReplyTarget, messageId: number, text: string, signal?: AbortSignal): Promise<void>;
  deleteMessage(target: ReplyTarget, messageId: number, signal?: AbortSignal): Promise<void>;
  showTyping(target: ReplyTarget): Promise<void>;
}

/** How long a call other than a poll may take. */
const CALL_MS = 15_000;

type GrammySignal = Parameters<Api["getMe"]>[0];

export async function createClient(options: {
  readonly token: string;
  readonly apiRoot: string;
  /** How much longer than requested a poll may take before the connection is considered dead. */
  readonly pollSlackMs: number;
}): Promise<TelegramClient> {
  const { Api: GrammyApi } = await import("grammy");
  const { token, apiRoot, pollSlackMs } = options;
  const redact = createTokenRedactor(token);
  // grammy rejects a trailing slash.
  const api = new GrammyApi(token, { apiRoot: apiRoot.replace(/\/+$/, "") });

  async function call<Value>(run: (signal: GrammySignal) => Promise<Value>, signal?: AbortSignal): Promise<Value> {
    try {
      // grammy's type comes from a polyfill for old Node versions; Node's own signal is compatible.
      return await run((signal ?? AbortSignal.timeout(CALL_MS)) as unknown as GrammySignal);
    } catch (thrown) {
      throw telegramFailureFrom(thrown, redact);
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
    async sendMessage(target, text, signal) {
      const { message_id: id } = await call(
        (own) => api.sendMessage(target.chat_id, text, thread(target), own),
        signal,
      );
      return id;
    },
    async editMessage({ chat_id: chat }, messageId, text, signal) {
      await call((own) => api.editMessageText(chat, messageId, text, {}, own), signal);
    },
    async deleteMessage({ chat_id: chat }, messageId, signal) {
      await call((own) => api.deleteMessage(chat, messageId, own), signal);
    },
    async showTyping(target) {
      await call((own) => api.sendChatAction(target.chat_id, "typing", thread(target), own));
    },
  };
}
