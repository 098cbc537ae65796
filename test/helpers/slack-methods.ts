/** The methods of Slack's Web API that the adapter calls, with the errors of https://docs.slack.dev/reference/methods. */
import {
  ADA,
  APP_TOKEN,
  BOT_ID,
  BOT_USER,
  messageEvent,
  TEAM,
  userProfile,
  type Block,
  type Fields,
  type StoredMessage,
} from "./slack-events.ts";
import type { SlackSocket } from "./slack-socket.ts";

export type Answer = { readonly error: string; readonly needed?: string; readonly provided?: string } | Fields;
type Body = Readonly<Record<string, string>>;

/** The scope that each method needs; others need none. */
const NEEDED: Readonly<Record<string, string>> = {
  "chat.postMessage": "chat:write",
  "chat.update": "chat:write",
  "chat.delete": "chat:write",
  "assistant.threads.setStatus": "chat:write",
  "users.info": "users:read",
  "conversations.info": "channels:read",
  "conversations.open": "im:write",
  "conversations.replies": "channels:history",
};

export const SCOPES = [
  "app_mentions:read",
  "channels:history",
  "chat:write",
  "commands",
  "files:read",
  "groups:history",
  "im:history",
  "mpim:history",
  "users:read",
];

/** What the server tells its methods. */
interface Workspace {
  readonly socket: SlackSocket;
  readonly port: number;
  readonly botToken: string;
  readonly appToken: string;
  readonly tokenError: string;
  readonly scopes: readonly string[];
  timestamp(): string;
}

export class SlackMethods {
  readonly messages: StoredMessage[] = [];
  readonly users = new Map<string, Fields>([[ADA, userProfile(ADA)]]);
  readonly refusals = new Map<string, string>();
  /** What users wrote, by channel and time. */
  readonly said = new Map<string, Fields>();
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  call(method: string, body: Body, token: string): Answer {
    const { appToken, botToken, tokenError, scopes, socket, port } = this.#workspace;
    if (token === "") return { error: "not_authed" };
    if (method === "apps.connections.open") {
      if (token === appToken) return { url: socket.issue(port) };
      return { error: token === botToken ? "not_allowed_token_type" : tokenError };
    }
    // The workspace may have replaced the token meanwhile.
    if (token === APP_TOKEN) return { error: "not_allowed_token_type" };
    if (token !== botToken) return { error: tokenError };
    const needed = NEEDED[method];
    if (needed !== undefined && !scopes.includes(needed)) {
      return { error: "missing_scope", needed, provided: scopes.join(",") };
    }
    return this.#perform(method, body);
  }

  #perform(method: string, body: Body): Answer {
    const { channel = "", ts = "", user = "" } = body;
    switch (method) {
      case "auth.test":
        return {
          url: "https://test.slack.com/",
          team: "Test",
          user: "hermes",
          team_id: TEAM,
          user_id: BOT_USER,
          bot_id: BOT_ID,
          is_enterprise_install: false,
        };
      case "chat.postMessage":
        return this.#post(body);
      case "chat.update":
        return this.#update(body);
      case "chat.delete":
        return this.#delete(channel, ts);
      case "users.info": {
        const profile = this.users.get(user);
        return profile === undefined ? { error: "user_not_found" } : { user: profile };
      }
      case "conversations.info":
        return { channel: { id: channel, name: "general", is_channel: true } };
      case "conversations.open":
        return { channel: { id: `D${(body["users"] ?? "").slice(1)}` } };
      case "conversations.replies": {
        const parent =
          this.said.get(`${channel} ${ts}`) ?? this.messages.find((one) => one.channel === channel && one.ts === ts);
        return parent === undefined ? { error: "thread_not_found" } : { messages: [parent], has_more: false };
      }
      case "assistant.threads.setStatus":
        return body["thread_ts"] === undefined ? { error: "invalid_thread_ts" } : {};
      default:
        return { error: "unknown_method" };
    }
  }

  #post(body: Body): Answer {
    const { text = "", thread_ts: thread } = body;
    // A user's id stands for the direct chat with them.
    const channel = (body["channel"] ?? "").replace(/^U/, "D");
    const problem = this.refusals.get(channel) ?? problemOf(body, 40_000);
    if (problem !== undefined) return { error: problem };
    const ts = this.#workspace.timestamp();
    const message = { channel, ts, text, thread, blocks: blocksOf(body), user: BOT_USER };
    this.messages.push(message);
    this.#echo(message, {});
    return { channel, ts, message: { type: "message", user: BOT_USER, bot_id: BOT_ID, text, ts } };
  }

  #update(body: Body): Answer {
    const { text = "", channel = "", ts = "" } = body;
    const message = this.messages.find((one) => one.channel === channel && one.ts === ts);
    if (message === undefined) return { error: "message_not_found" };
    const problem = this.refusals.get(channel) ?? problemOf(body, 4000);
    if (problem !== undefined) return { error: problem };
    message.text = text;
    message.blocks = blocksOf(body);
    this.#echo(message, { subtype: "message_changed", hidden: true });
    return { channel, ts, text };
  }

  #delete(channel: string, ts: string): Answer {
    const at = this.messages.findIndex((one) => one.channel === channel && one.ts === ts);
    if (at < 0) return { error: "message_not_found" };
    const [message] = this.messages.splice(at, 1);
    this.#echo(message!, { subtype: "message_deleted", hidden: true, deleted_ts: ts });
    return { channel, ts };
  }

  /** The bot's own messages come back to it as events. */
  #echo({ channel, ts, text, thread }: StoredMessage, fields: Fields): void {
    const place = { channel, channel_type: channel.startsWith("D") ? "im" : "channel" };
    const own = { user: BOT_USER, bot_id: BOT_ID, ...(thread === undefined ? {} : { thread_ts: thread }) };
    this.#workspace.socket.event(messageEvent(text, ts, { ...place, ...own, ...fields }));
  }
}

function blocksOf({ blocks }: Body): readonly Block[] {
  return blocks === undefined ? [] : (JSON.parse(blocks) as readonly Block[]);
}

/** What is wrong with a text and its blocks. */
function problemOf(body: Body, longest: number): string | undefined {
  const { text = "" } = body;
  const blocks = blocksOf(body);
  if (text.trim() === "" && blocks.length === 0) return "no_text";
  if (text.length > longest) return "msg_too_long";
  const isWrong = blocks.some(
    ({ type, text: words, elements }) =>
      (type === "section" && (words === undefined || words.text.length > 3000 || words.text === "")) ||
      (type === "actions" && elements?.some((one) => one.text.text.length > 75 || one.value.length > 2000)),
  );
  return isWrong ? "invalid_blocks" : undefined;
}
