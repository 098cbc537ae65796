/** A Discord on loopback, its REST API and its gateway, that behaves as the real one, or as badly as a test says. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { ApplicationFlags, ChannelType, GatewayIntentBits } from "discord-api-types/v10";
import { DiscordGateway } from "./discord-gateway.ts";
import { answerRoute, type ApiAnswer, type Call, type DiscordWorld, type Interaction } from "./discord-rest.ts";
import {
  ADA,
  BOB,
  BOT,
  BOT_ID,
  commandInteraction,
  directChannel,
  GENERAL_ID,
  GUILD_ID,
  messageCreate,
  pressInteraction,
  snowflake,
  type Channel,
  type Fields,
  type Message,
} from "./discord-shapes.ts";
import { LoopbackServer } from "./loopback-server.ts";

export const TOKEN = "MTExMTExMTExMTExMTExMTExMQ.test00.the-token-of-the-fake-discord";

/** What a call gets instead of its answer. */
export type Misbehaviour =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  /** The socket is destroyed before the call had its effect, or after. */
  | "drop"
  | "drop after"
  /** An answer that is no JSON. */
  | "html"
  /** No answer until the client goes away. */
  | "hang"
  /** Nothing goes wrong with this one. */
  | "serve";

export type User = Fields & { readonly id: string };

/** Where a message is written, and by whom. */
export interface SayOptions {
  readonly user?: User;
  /** The user's direct chat when absent. */
  readonly channel?: string;
  readonly fields?: Fields;
}

export class DiscordServer extends LoopbackServer implements DiscordWorld {
  readonly calls: Call[] = [];
  /** All messages in the chats by id, from users and from the bot. */
  readonly messages = new Map<string, Message>();
  readonly channels = new Map<string, Channel>();
  readonly nonces = new Map<string, Message>();
  readonly interactions = new Map<string, Interaction>();
  /** The registered commands of the application. */
  commands: readonly Fields[] = [];
  token = TOKEN;
  /** What the developer portal has switched on. */
  flags: number = ApplicationFlags.GatewayMessageContentLimited;
  /** How often a bot may write to a channel, as Discord limits it; null for no limit. */
  limit: { readonly calls: number; readonly ms: number } | null = null;
  /** The path before the version: the real one, or none. */
  prefix = "/api";
  readonly gateway: DiscordGateway;
  /** The content of files, by path. */
  readonly files = new Map<string, Buffer>();
  readonly #misbehaviours = new Map<string, Misbehaviour[]>();

  constructor() {
    super();
    this.gateway = new DiscordGateway({
      url: () => `ws://127.0.0.1:${this.port}`,
      token: () => this.token,
      intents: () => (this.flags === 0 ? ~GatewayIntentBits.MessageContent : ~0),
      ready: () => ({ user: BOT, guilds: [{ id: GUILD_ID, unavailable: true }], application: this.application }),
      guilds: () => [this.#guild()],
    });
    for (const { id } of [ADA, BOB]) this.addChannel({ id: directChannel({ id }), type: ChannelType.DM });
    this.addChannel({ id: GENERAL_ID, type: ChannelType.GuildText, guild_id: GUILD_ID, name: "general" });
  }

  get application(): Fields {
    return { id: BOT_ID, flags: this.flags };
  }

  addChannel(channel: Channel): Channel {
    this.channels.set(channel.id, channel);
    return channel;
  }

  /** A thread of the general channel; opened from a message when it has its id. */
  addThread(fields: Partial<Channel> = {}): Channel {
    const base = { id: snowflake(), type: ChannelType.PublicThread, guild_id: GUILD_ID, parent_id: GENERAL_ID };
    return this.addChannel({ ...base, ...fields });
  }

  /** A user writes; gives the message's id. */
  say(content: string, { user = ADA, channel = directChannel(user), fields = {} }: SayOptions = {}): string {
    const { guild_id: guild } = this.channels.get(channel) ?? {};
    const member = guild === undefined ? {} : { guild_id: guild, member: { nick: null, roles: [] } };
    const message = messageCreate({ channel_id: channel, content, author: user, ...member, ...fields });
    const id = String(message["id"]);
    this.messages.set(id, { id, channel_id: channel, content, author: user, components: [] });
    this.gateway.dispatch("MESSAGE_CREATE", message);
    return id;
  }

  /** A user sends `/name argument` through the client's list of commands; gives the interaction's token. */
  command(
    name: string,
    argument: string | null = null,
    { user = ADA, channel = directChannel(user) }: SayOptions = {},
  ) {
    return this.interact(commandInteraction(name, argument, { user, channel: this.channels.get(channel)! }));
  }

  /** A user presses the button with this label; gives the interaction's token. */
  press(message: Message, label: string, user: User = ADA): string {
    const button = buttonsOf(message).find((one) => one["label"] === label);
    if (button === undefined) throw new Error(`no button ${label}`);
    const channel = this.channels.get(message.channel_id)!;
    return this.interact(pressInteraction(message, String(button["custom_id"]), { user, channel }));
  }

  interact(payload: Fields): string {
    const token = String(payload["token"]);
    this.interactions.set(token, { id: String(payload["id"]), acknowledged: null, original: null });
    this.gateway.dispatch("INTERACTION_CREATE", payload);
    return token;
  }

  /** The next calls of the route (`POST /channels/:id/messages`) go wrong in this way, one each. */
  misbehave(route: string, ...ways: readonly Misbehaviour[]): void {
    this.#misbehaviours.set(route, [...(this.#misbehaviours.get(route) ?? []), ...ways]);
  }

  callsOf(route: string): readonly Call[] {
    return this.calls.filter((call) => routeOf(call.method, call.path) === route);
  }

  /** The bot's messages in a channel, oldest first. */
  answersIn(channel: string): readonly Message[] {
    return [...this.messages.values()].filter((one) => one.channel_id === channel && one.author["id"] === BOT_ID);
  }

  textsIn(channel: string): readonly string[] {
    return this.answersIn(channel).map(({ content }) => content);
  }

  #guild(): Fields {
    const channels = [...this.channels.values()].filter((one) => one.guild_id === GUILD_ID);
    const isThread = ({ parent_id: parent }: Channel) => parent !== undefined;
    return {
      id: GUILD_ID,
      name: "Test guild",
      channels: channels.filter((one) => !isThread(one)).map(({ guild_id: _, ...channel }) => channel),
      threads: channels.filter(isThread),
    };
  }

  protected override attach(server: Server): void {
    this.gateway.attach(server);
  }

  protected override async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The client went away in the middle of its call.
      return;
    }
    const { method = "", url = "", headers } = request;
    if (this.files.has(url)) return void response.end(this.files.get(url));
    const path = url.startsWith(`${this.prefix}/v10/`) ? url.slice(this.prefix.length + 4) : null;
    const body = JSON.parse(Buffer.concat(chunks).toString() || "{}") as Fields;
    const call = { method, path: path ?? url, body, authorization: headers.authorization, at: performance.now() };
    this.calls.push(call);
    if (path === null) return reply(response, { status: 404, body: { message: "404: Not Found", code: 0 } });
    const way = this.#misbehaviours.get(routeOf(method, path))?.shift() ?? "serve";
    if (way === "serve") return reply(response, answerRoute(this, call));
    if (way === "hang") return;
    if (way === "html") return void response.end("<html>Bad gateway</html>");
    if (way === "drop after") answerRoute(this, call);
    if (typeof way === "string") return void response.destroy();
    reply(response, way);
  }
}

/** The buttons below a message. */
export function buttonsOf({ components }: Message): readonly Fields[] {
  return components.flatMap((row) => (row["components"] ?? []) as readonly Fields[]);
}

/** `POST /channels/:id/messages` for a call: ids and tokens are left out. */
function routeOf(method: string, path: string): string {
  return `${method} ${path.replace(/interaction-\d+/, ":token").replaceAll(/\d{17,}/g, ":id")}`;
}

function reply(response: ServerResponse, { status, body, headers = {} }: ApiAnswer): void {
  const type = typeof body === "string" ? "text/html" : "application/json";
  response.writeHead(status, body === undefined ? headers : { "content-type": type, ...headers });
  response.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
}
