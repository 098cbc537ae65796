/** The methods of Slack's Web API that we use. They only throw a CallFailure. */
import type { ReplyButtons, ReplyTarget } from "#core/ports/platform";
import { CallFailure, callFailureOf } from "#gateway/adapters/shared/call-failure";
import type { EditingClient, TypingClient } from "#gateway/adapters/shared/message-client";
import { questionBlocks } from "./blocks.ts";
import type { Answer, Caller } from "./caller.ts";
import type { Pace } from "./pace.ts";

/** A message of ours. The channel may differ from the target's, which can be a user. */
export interface MessageId {
  readonly channel: string;
  readonly ts: string;
}

/** Who the bot's token belongs to. */
export interface Account {
  readonly userId: string;
  readonly botId: string;
  readonly name: string;
  readonly workspace: string;
  /** The scopes of the token; null when the server does not say. */
  readonly scopes: readonly string[] | null;
}

export interface SlackClient extends EditingClient<MessageId>, TypingClient {
  /** Takes the status away that {@link showTyping} has shown, if it still shows. */
  hideTyping(target: ReplyTarget): Promise<void>;
  /** The name of a user: `Ada Lovelace (@ada)`. */
  findName(userId: string): Promise<string>;
  /** The first message of a thread; null when it cannot be read. */
  findParent(channel: string, ts: string): Promise<{ readonly user: string; readonly text: string } | null>;
  /** The content of a file. Fails when it is larger than `most` bytes, or not at Slack. */
  download(url: string, most: number): Promise<Buffer>;
}

const UNPARSED = { parse: "none", link_names: false, unfurl_links: false, unfurl_media: false } as const;
/** What a notification shows of a question. */
const LONGEST_NOTICE = 1000;

export interface ClientOptions {
  readonly call: Caller;
  readonly pace: Pace;
  readonly download: SlackClient["download"];
  /** Takes the failure of a message. */
  readonly onUnsent: (channel: string, failure: CallFailure) => void;
  /** How long a message waits for names and for what it refers to, in milliseconds. */
  readonly lookupMs: number;
  /** Ends waits when the program exits. */
  readonly closing: AbortSignal;
}

/** `auth.test`: whose token it is, and what it may do. */
export async function findAccount(call: Caller, signal?: AbortSignal): Promise<Account> {
  const answer = await call("auth.test", {}, signal);
  return {
    userId: textOf(answer["user_id"]),
    botId: textOf(answer["bot_id"]),
    name: textOf(answer["user"]),
    workspace: textOf(answer["team"]),
    scopes: answer.response_metadata?.scopes ?? null,
  };
}

export function createClient({ call, pace, download, onUnsent, lookupMs, closing }: ClientOptions): SlackClient {
  /** Threads that show a status, which Slack takes away when we write there. */
  const shown = new Set<string>();
  let hasStatus = true;

  async function setStatus({ chat_id, thread_id }: ReplyTarget, status: string): Promise<void> {
    await call("assistant.threads.setStatus", { channel_id: chat_id, thread_ts: thread_id, status });
  }

  return {
    async sendMessage(target, text, { signal, buttons } = {}) {
      const { chat_id, thread_id } = target;
      await pace.post(chat_id, signal ?? closing).catch((thrown: unknown) => {
        throw new CallFailure(callFailureOf(thrown).message);
      });
      const what = buttons === undefined ? content(text) : question(text, buttons);
      const fields = { channel: chat_id, ...inThread(thread_id), ...what };
      const answer = await call("chat.postMessage", fields, signal).catch((thrown: unknown) => {
        const failure = callFailureOf(thrown);
        onUnsent(chat_id, failure);
        throw failure;
      });
      shown.delete(keyOf(target));
      return idOf(answer, chat_id);
    },
    async editMessage(_target, { channel, ts }, text, signal) {
      // Only updates of drafts can be ended early; the answer itself does not wait.
      if (signal === undefined) pace.update();
      else if (!pace.mayUpdate()) throw new CallFailure("too many drafts are being updated", { kind: "temporary" });
      await call("chat.update", { channel, ts, ...content(text) }, signal);
    },
    async deleteMessage(_target, { channel, ts }, signal) {
      await call("chat.delete", { channel, ts }, signal);
    },
    async removeButtons(_target, { id, text }, signal) {
      await call("chat.update", { channel: id.channel, ts: id.ts, ...question(text) }, signal);
    },
    async showTyping(target) {
      if (!hasStatus || target.thread_id === null) return;
      shown.add(keyOf(target));
      try {
        await setStatus(target, "is thinking…");
      } catch (thrown) {
        shown.delete(keyOf(target));
        // The app may not, so it is not asked for again and again.
        if (callFailureOf(thrown).kind === "refused") hasStatus = false;
        throw thrown;
      }
    },
    async hideTyping(target) {
      if (shown.delete(keyOf(target))) await setStatus(target, "");
    },
    async findName(userId) {
      const { user } = await call("users.info", { user: userId }, AbortSignal.timeout(lookupMs));
      return nameOf(user, userId);
    },
    async findParent(channel, ts) {
      const asked = { channel, ts, limit: 1, inclusive: true };
      const { messages } = await call("conversations.replies", asked, AbortSignal.timeout(lookupMs));
      const [first] = Array.isArray(messages) ? (messages as readonly unknown[]) : [];
      const { user, text } = (first ?? {}) as { user?: unknown; text?: unknown };
      return typeof user === "string" && typeof text === "string" && text !== "" ? { user, text } : null;
    },
    download,
  };
}

/** A text that Slack must not turn into links, mentions or previews of its own: it has those it needs. */
function content(text: string): Readonly<Record<string, unknown>> {
  return { text, ...UNPARSED };
}

/** A question: what shows are the blocks; the text is for notifications. */
function question(text: string, buttons?: ReplyButtons): Readonly<Record<string, unknown>> {
  const blocks = questionBlocks(text, buttons?.choices);
  return { text: text.slice(0, LONGEST_NOTICE).toWellFormed(), mrkdwn: false, blocks, ...UNPARSED };
}

function inThread(thread: string | null): { readonly thread_ts?: string } {
  return thread === null ? {} : { thread_ts: thread };
}

function idOf(answer: Answer, asked: string): MessageId {
  const { channel, ts } = answer;
  if (typeof ts !== "string") throw new CallFailure("the server does not speak Slack's Web API");
  return { channel: typeof channel === "string" ? channel : asked, ts };
}

function keyOf({ chat_id, thread_id }: ReplyTarget): string {
  return JSON.stringify([chat_id, thread_id]);
}

interface User {
  readonly name?: unknown;
  readonly real_name?: unknown;
  readonly profile?: { readonly real_name?: unknown; readonly display_name?: unknown };
}

function nameOf(user: unknown, userId: string): string {
  const { name, real_name: real, profile = {} } = (user ?? {}) as User;
  const full = textOf(real) || textOf(profile.real_name);
  const short = textOf(profile.display_name) || textOf(name);
  if (full === "" || full === short) return short || userId;
  return short === "" ? full : `${full} (@${short})`;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
