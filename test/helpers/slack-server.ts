/** Slack's Web API and Socket Mode on loopback, behaving as Slack does, or as badly as a test says. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import {
  ADA,
  APP_TOKEN,
  BOT_TOKEN,
  BOT_USER,
  CHANNEL,
  commandPayload,
  mentionEvent,
  messageEvent,
  pressPayload,
  type Fields,
  type StoredMessage,
} from "./slack-events.ts";
import { SCOPES, SlackMethods, type Answer } from "./slack-methods.ts";
import { SlackSocket } from "./slack-socket.ts";
import { LoopbackServer } from "./loopback-server.ts";

export interface Call {
  readonly method: string;
  readonly body: Readonly<Record<string, string>>;
  /** Milliseconds, for differences only. */
  readonly at: number;
}

/** What a call gets instead of its answer. */
export type Misbehaviour =
  /** An answer of Slack's own: HTTP 200 with `ok: false`. */
  | { readonly error: string; readonly needed?: string; readonly provided?: string }
  | { readonly status: number; readonly retryAfter?: string; readonly body?: string }
  /** The socket is destroyed before the call had its effect, or after. */
  | "drop"
  | "drop after"
  /** An answer that is no JSON. */
  | "html"
  /** No answer until the client goes away. */
  | "hang"
  /** Nothing goes wrong with this one. */
  | "serve";

export class SlackServer extends LoopbackServer {
  readonly calls: Call[] = [];
  readonly socket = new SlackSocket();
  botToken = BOT_TOKEN;
  appToken = APP_TOKEN;
  /** What the server says of a token that is not one of these. */
  tokenError = "invalid_auth";
  /** The scopes of the bot's token. */
  scopes: readonly string[] = SCOPES;
  /** Where the methods are. */
  prefix = "/api/";
  /** The content of files, by path; they need the bot's token. */
  readonly files = new Map<string, Buffer>();
  /** What came to the addresses for responses to slash commands. */
  readonly responses: unknown[] = [];
  /** The `authorization` headers that came with requests for files. */
  readonly fileRequests: (string | undefined)[] = [];
  readonly #methods = new SlackMethods(this);
  #clock = 0;
  #misbehaviours = new Map<string, Misbehaviour[]>();

  /** The messages in all conversations, oldest first. */
  get messages(): readonly StoredMessage[] {
    return this.#methods.messages;
  }

  get users(): Map<string, Fields> {
    return this.#methods.users;
  }

  /** Channels that cannot be written to, with the error that says why. */
  get refusals(): Map<string, string> {
    return this.#methods.refusals;
  }

  /** The next moment, as Slack writes it: unique in the workspace here. */
  timestamp(): string {
    return `1700000000.${String(++this.#clock).padStart(6, "0")}`;
  }

  /** A user writes to the bot, by default Ada in her direct chat; gives the message. */
  say(text: string, fields: Fields = {}): Fields & { readonly ts: string } {
    const event = messageEvent(text, this.timestamp(), fields);
    this.#methods.said.set(`${String(event["channel"])} ${event.ts}`, event);
    this.socket.event(event);
    return event;
  }

  /** A user mentions the bot in a channel, which comes as two events. */
  mention(text: string, fields: Fields = {}): Fields & { readonly ts: string } {
    const place = { channel: CHANNEL, channel_type: "channel", ...fields };
    const event = messageEvent(`<@${BOT_USER}> ${text}`, this.timestamp(), place);
    this.socket.event(event);
    this.socket.event(mentionEvent(event));
    return event;
  }

  /** A user sends `/hermes TEXT`. */
  command(text: string, fields: Fields = {}): void {
    this.socket.deliver("slash_commands", commandPayload(text, `trigger-${this.timestamp()}`, fields));
  }

  /** A user presses a button of a message. */
  press(message: StoredMessage, label: string, user: string = ADA): void {
    this.socket.deliver("interactive", pressPayload(message, label, { user, at: this.timestamp() }));
  }

  /** The next calls of the method go wrong in this way, one each. */
  misbehave(method: string, ...ways: readonly Misbehaviour[]): void {
    this.#misbehaviours.set(method, [...(this.#misbehaviours.get(method) ?? []), ...ways]);
  }

  callsOf(method: string): readonly Call[] {
    return this.calls.filter((call) => call.method === method);
  }

  /** The messages of the bot in a channel, oldest first; with `thread`, only those of the thread. */
  sentTo(channel: string, thread?: string): readonly StoredMessage[] {
    return this.messages.filter(
      (message) => message.channel === channel && (thread === undefined || message.thread === thread),
    );
  }

  textsOf(channel: string, thread?: string): readonly string[] {
    return this.sentTo(channel, thread).map(({ text }) => text);
  }

  protected override attach(server: Server): void {
    this.socket.attach(server);
  }

  protected override async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The client went away in the middle of its call.
      return;
    }
    const { url = "", headers } = request;
    if (url.startsWith("/files/")) return this.#sendFile(url, headers.authorization, response);
    if (url === "/response") {
      this.responses.push(JSON.parse(Buffer.concat(chunks).toString()));
      return void response.end("ok");
    }
    const method = url.startsWith(this.prefix) ? url.slice(this.prefix.length) : "/";
    if (request.method !== "POST" || method.includes("/")) return void response.writeHead(404).end("no route");
    const body = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
    this.calls.push({ method, body, at: performance.now() });
    const way = this.#misbehaviours.get(method)?.shift() ?? "serve";
    if (way !== "serve" && way !== "drop after") return this.#fail(way, response);
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
    const isForm = headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
    const answer: Answer = isForm ? this.#methods.call(method, body, token) : { error: "invalid_form_data" };
    if (way === "drop after") return void response.destroy();
    const known = token === this.botToken;
    reply(response, answer, known ? { "x-oauth-scopes": this.scopes.join(","), "x-accepted-oauth-scopes": "" } : {});
  }

  #sendFile(path: string, authorization: string | undefined, response: ServerResponse): void {
    this.fileRequests.push(authorization);
    const file = this.files.get(path);
    if (authorization === `Bearer ${this.botToken}` && file !== undefined) {
      return void response.writeHead(200, { "content-type": "image/png" }).end(file);
    }
    // Slack shows its page for signing in.
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<html>Sign in</html>");
  }

  #fail(way: Exclude<Misbehaviour, "serve" | "drop after">, response: ServerResponse): void {
    if (way === "hang") return;
    if (way === "html") return void response.end("<html>Bad gateway</html>");
    if (way === "drop") return void response.destroy();
    if ("error" in way) return reply(response, way);
    const { status, retryAfter, body = "" } = way;
    response.writeHead(status, retryAfter === undefined ? {} : { "retry-after": retryAfter }).end(body);
  }
}

function reply(response: ServerResponse, answer: Answer, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(200, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(JSON.stringify({ ok: !("error" in answer), ...answer }));
}
