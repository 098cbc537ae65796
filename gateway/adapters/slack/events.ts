/** Finds what is for the bot in the events, commands and presses of buttons that Slack delivers. */
import type { MessageSource } from "#core/ports/platform";
import { pressedMessage } from "./blocks.ts";
import { mentionedUsers, withoutMention } from "./text.ts";

/** A file of a message (https://docs.slack.dev/reference/objects/file-object). */
export interface SlackFile {
  readonly name?: string;
  readonly mimetype?: string;
  readonly size?: number;
  readonly url_private?: string;
}

/** A message for the bot, in Slack's own form. */
export interface Heard {
  readonly source: MessageSource;
  readonly message_id: string;
  /** Without a mention of the bot. */
  readonly text: string;
  /** False for a text that is as it is: that of a button. */
  readonly isMarked: boolean;
  readonly files: readonly SlackFile[];
  /** A message that was shared with this one. */
  readonly shared: { readonly author: string; readonly text: string } | null;
  /** The thread of somebody else, whose first message the model has not seen. */
  readonly foreignThread: string | null;
  /** True when the answer starts a thread below this message. */
  readonly startsThread: boolean;
}

interface SharedMessage {
  readonly is_msg_unfurl?: boolean;
  readonly is_share?: boolean;
  readonly author_id?: string;
  readonly author_name?: string;
  readonly text?: string;
}

/** The fields of `message` and `app_mention` that we read; the server may omit any of them. */
interface MessageEvent {
  readonly type?: string;
  readonly subtype?: string;
  readonly hidden?: boolean;
  readonly bot_id?: string;
  readonly user?: string;
  readonly channel?: string;
  readonly channel_type?: string;
  readonly ts?: string;
  readonly thread_ts?: string;
  readonly parent_user_id?: string;
  readonly text?: string;
  readonly files?: readonly SlackFile[];
  readonly attachments?: readonly SharedMessage[];
}

export interface Listener {
  /** The bot's own user id. */
  readonly userId: string;
  /** True for a thread that the bot started. */
  readonly isOurThread: (channel: string, thread: string) => boolean;
}

/** Messages of users: others are edits, deletions, those of bots and of Slack itself. */
const SUBTYPES: ReadonlySet<string> = new Set(["file_share", "me_message", "thread_broadcast"]);
const SLACKBOT = "USLACKBOT";
const NOTHING = { files: [], shared: null, foreignThread: null, startsThread: false } as const;

/**
 * The message of an event, or null for one that is not for the bot. Slack delivers a mention twice, as `message` and as
 * `app_mention`; both give the same message.
 */
export function heardMessage(event: unknown, { userId, isOurThread }: Listener): Heard | null {
  const message = (event ?? {}) as MessageEvent;
  const { type, channel, ts, user, thread_ts: root } = message;
  if (type !== "message" && type !== "app_mention") return null;
  if (!isId(channel) || !isId(ts) || !isId(user) || !isOfUser(message, userId)) return null;
  const text = typeof message.text === "string" ? message.text : "";
  const thread = isId(root) && root !== ts ? root : null;
  const content = {
    message_id: `${channel}:${ts}`,
    text: withoutMention(text, userId),
    isMarked: true,
    files: Array.isArray(message.files) ? message.files : [],
    shared: sharedIn(message),
  };
  if (isDirect(channel, message.channel_type)) {
    const source = sourceOf("dm", channel, user, thread);
    return { ...content, source, foreignThread: null, startsThread: false };
  }
  const isMentioned = type === "app_mention" || mentionedUsers(text).includes(userId);
  const isOurs = thread !== null && (message.parent_user_id === userId || isOurThread(channel, thread));
  if (!isMentioned && !isOurs) return null;
  return {
    ...content,
    // The answer to a message outside threads starts one.
    source: sourceOf("thread", channel, user, thread ?? ts),
    foreignThread: isOurs ? null : thread,
    startsThread: thread === null,
  };
}

/** The message of a slash command: its text, or the command of ours that it names. */
export function heardCommand(body: unknown, isCommand: (word: string) => boolean): Heard | null {
  const { user_id: user, channel_id: channel, text, trigger_id: trigger } = (body ?? {}) as Record<string, unknown>;
  if (!isId(user) || !isId(channel)) return null;
  const words = typeof text === "string" ? text.trim() : "";
  const [first = ""] = words.split(/\s/, 1);
  const command = words === "" ? "/help" : isCommand(first) ? `/${words}` : words;
  return {
    ...NOTHING,
    source: sourceOf(isDirect(channel) ? "dm" : "group", channel, user, null),
    message_id: isId(trigger) ? `command:${trigger}` : "",
    text: command,
    isMarked: true,
  };
}

interface Press {
  readonly user?: { readonly id?: unknown };
  readonly channel?: { readonly id?: unknown };
  readonly message?: { readonly ts?: unknown; readonly thread_ts?: unknown };
  readonly actions?: readonly ({ readonly action_ts?: unknown } | undefined)[];
}

/** The message of a pressed button, in the conversation where the button is. */
export function heardPress(body: unknown): Heard | null {
  const { user, channel, message, actions } = (body ?? {}) as Press;
  const action = Array.isArray(actions) ? (actions as NonNullable<Press["actions"]>)[0] : undefined;
  const text = pressedMessage(action);
  const [userId, channelId, root, at] = [user?.id, channel?.id, message?.thread_ts, action?.action_ts];
  if (text === null || !isId(userId) || !isId(channelId)) return null;
  const thread = isId(root) && root !== message?.ts ? root : null;
  const type = isDirect(channelId) ? "dm" : thread === null ? "group" : "thread";
  return {
    ...NOTHING,
    source: sourceOf(type, channelId, userId, thread),
    message_id: isId(at) ? `press:${channelId}:${userId}:${at}` : "",
    text,
    isMarked: false,
  };
}

function isOfUser({ subtype, hidden, bot_id: bot, user }: MessageEvent, ownId: string): boolean {
  if (subtype !== undefined && !SUBTYPES.has(subtype)) return false;
  return hidden !== true && bot === undefined && user !== ownId && user !== SLACKBOT;
}

/** The ids of direct messages begin with D, also where an event does not say what its channel is. */
function isDirect(channel: string, type?: string): boolean {
  return type === undefined ? channel.startsWith("D") : type === "im";
}

function sharedIn({ attachments }: MessageEvent): Heard["shared"] {
  if (!Array.isArray(attachments)) return null;
  const found = (attachments as readonly (SharedMessage | null)[]).find(
    (one) => one?.is_msg_unfurl === true || one?.is_share === true,
  );
  const { author_id: id, author_name: name, text } = found ?? {};
  if (typeof text !== "string" || text === "") return null;
  return { author: isId(id) ? id : typeof name === "string" ? name : "somebody", text };
}

function sourceOf(type: string, channel: string, user: string, thread: string | null): MessageSource {
  return { platform: "slack", chat_type: type, chat_id: channel, user_id: user, thread_id: thread };
}

function isId(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
