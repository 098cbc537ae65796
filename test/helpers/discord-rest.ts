/** The routes of Discord's REST API that a bot calls, with the limits and the errors of the real one. */
import {
  BOT,
  BOT_ID,
  BOT_ROLE_ID,
  directChannel,
  messageCreate,
  snowflake,
  type Channel,
  type Fields,
  type Message,
} from "./discord-shapes.ts";

export interface ApiAnswer {
  readonly status: number;
  /** Nothing when absent; a string is sent as HTML. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What became of an interaction. */
export interface Interaction {
  readonly id: string;
  /** The type of its callback; null before. */
  acknowledged: number | null;
  /** What its response shows: `thinking` until it is edited or deleted. */
  original: "thinking" | "deleted" | Fields | null;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: Fields;
  readonly authorization: string | undefined;
  /** Milliseconds, for differences only. */
  readonly at: number;
}

/** What the routes read and change. */
export interface DiscordWorld {
  readonly url: string;
  readonly token: string;
  readonly application: Fields;
  readonly limit: { readonly calls: number; readonly ms: number } | null;
  readonly calls: readonly Call[];
  readonly channels: ReadonlyMap<string, Channel>;
  readonly messages: Map<string, Message>;
  /** The messages that were sent with a nonce, by it. */
  readonly nonces: Map<string, Message>;
  readonly interactions: ReadonlyMap<string, Interaction>;
  readonly gateway: { dispatch(t: string, d: unknown): void };
  commands: readonly Fields[];
}

type Route = (server: DiscordWorld, ids: readonly string[], body: Fields) => ApiAnswer;

/** Their names are those of the documentation's pages. */
const ROUTES: readonly (readonly [route: RegExp, run: Route])[] = [
  [/^GET \/users\/@me$/, () => ok(BOT)],
  [/^GET \/applications\/@me$/, (server) => ok(server.application)],
  [/^GET \/gateway\/bot$/, (server) => ok(gatewayBot(server))],
  [/^GET \/applications\/(\d+)\/commands$/, (server) => ok(server.commands)],
  [/^PUT \/applications\/(\d+)\/commands$/, putCommands],
  [/^POST \/users\/@me\/channels$/, openDirect],
  [/^GET \/guilds\/(\d+)\/roles$/, () => ok([{ id: BOT_ROLE_ID, name: "Hermes", tags: { bot_id: BOT_ID } }])],
  [/^GET \/channels\/(\d+)$/, getChannel],
  [/^GET \/channels\/(\d+)\/messages\/(\d+)$/, getMessage],
  [/^POST \/channels\/(\d+)\/messages$/, postMessage],
  [/^PATCH \/channels\/(\d+)\/messages\/(\d+)$/, patchMessage],
  [/^DELETE \/channels\/(\d+)\/messages\/(\d+)$/, deleteMessage],
  [/^POST \/channels\/(\d+)\/typing$/, postTyping],
  [/^POST \/interactions\/(\d+)\/([\w-]+)\/callback$/, callback],
  [/^PATCH \/webhooks\/(\d+)\/([\w-]+)\/messages\/@original$/, (server, ids, body) => original(server, ids, body)],
  [/^DELETE \/webhooks\/(\d+)\/([\w-]+)\/messages\/@original$/, (server, ids) => original(server, ids, "deleted")],
];

/** Routes whose token is in their path. */
const OPEN = /^\/(?:interactions|webhooks)\//;
const UNKNOWN_MESSAGE = { status: 404, body: { message: "Unknown Message", code: 10_008 } };
const UNKNOWN_CHANNEL = { status: 404, body: { message: "Unknown Channel", code: 10_003 } };

export function answerRoute(server: DiscordWorld, call: Call): ApiAnswer {
  const { method, path, body, authorization } = call;
  if (!OPEN.test(path) && authorization !== `Bot ${server.token}`) {
    return { status: 401, body: { message: "401: Unauthorized", code: 0 } };
  }
  for (const [route, run] of ROUTES) {
    const match = route.exec(`${method} ${path}`);
    if (match === null) continue;
    return limited(server, call) ?? { ...run(server, match.slice(1), body), ...headersOf(server, call) };
  }
  return { status: 404, body: { message: "404: Not Found", code: 0 } };
}

function ok(body: unknown): ApiAnswer {
  return { status: 200, body };
}

function gatewayBot({ url }: DiscordWorld): Fields {
  const limits = { total: 1000, remaining: 990, reset_after: 14_400_000, max_concurrency: 1 };
  return { url: url.replace("http", "ws"), shards: 1, session_start_limit: limits };
}

function putCommands(server: DiscordWorld, [application = ""]: readonly string[], body: Fields): ApiAnswer {
  const commands = body as unknown as readonly Fields[];
  const isGood = ({ name, description }: Fields) =>
    /^[-_'\p{L}\p{N}]{1,32}$/u.test(String(name)) &&
    String(name) === String(name).toLowerCase() &&
    String(description).length >= 1 &&
    String(description).length <= 100;
  if (!commands.every(isGood)) return invalid("BASE_TYPE_BAD_LENGTH");
  const fields = { application_id: application, version: "1", type: 1, default_member_permissions: null, nsfw: false };
  server.commands = commands.map((one) => ({ id: snowflake(), ...fields, ...one }));
  return ok(server.commands);
}

function openDirect(server: DiscordWorld, _: readonly string[], { recipient_id: id }: Fields): ApiAnswer {
  const channel = server.channels.get(directChannel({ id: String(id) }));
  return channel === undefined
    ? { status: 400, body: { message: "Invalid Recipient(s)", code: 50_033 } }
    : ok({ ...channel, recipients: [{ id }] });
}

function getChannel(server: DiscordWorld, [id = ""]: readonly string[]): ApiAnswer {
  const channel = server.channels.get(id);
  return channel === undefined ? UNKNOWN_CHANNEL : ok(channel);
}

function getMessage(server: DiscordWorld, [channel, id = ""]: readonly string[]): ApiAnswer {
  const message = server.messages.get(id);
  return message?.channel_id === channel ? ok(messageCreate({ ...message })) : UNKNOWN_MESSAGE;
}

function postMessage(server: DiscordWorld, [channel = ""]: readonly string[], body: Fields): ApiAnswer {
  if (!server.channels.has(channel)) return UNKNOWN_CHANNEL;
  const problem = problemOf(body);
  if (problem !== null) return problem;
  const components = (body["components"] ?? []) as readonly Fields[];
  const nonce = String(body["nonce"]);
  const before = body["enforce_nonce"] === true ? server.nonces.get(nonce) : undefined;
  if (before !== undefined) return ok(messageCreate({ ...before }));
  const message = { id: snowflake(), channel_id: channel, content: String(body["content"]), author: BOT, components };
  server.messages.set(message.id, message);
  server.nonces.set(nonce, message);
  const created = messageCreate(message);
  const { guild_id: guild } = server.channels.get(channel)!;
  // A bot gets its own messages, too.
  server.gateway.dispatch("MESSAGE_CREATE", { ...created, ...(guild === undefined ? {} : { guild_id: guild }) });
  return ok(created);
}

function patchMessage(server: DiscordWorld, [, id = ""]: readonly string[], body: Fields): ApiAnswer {
  const message = server.messages.get(id);
  if (message === undefined) return UNKNOWN_MESSAGE;
  const problem = problemOf({ content: message.content, ...body });
  if (problem !== null) return problem;
  if (typeof body["content"] === "string") message.content = body["content"];
  if (body["components"] !== undefined) message.components = body["components"] as readonly Fields[];
  server.gateway.dispatch("MESSAGE_UPDATE", { ...messageCreate({ ...message }), edited_timestamp: "2026-11-29" });
  return ok(messageCreate({ ...message }));
}

function deleteMessage(server: DiscordWorld, [channel, id = ""]: readonly string[]): ApiAnswer {
  if (!server.messages.delete(id)) return UNKNOWN_MESSAGE;
  server.gateway.dispatch("MESSAGE_DELETE", { id, channel_id: channel });
  return { status: 204 };
}

function postTyping(server: DiscordWorld, [channel = ""]: readonly string[]): ApiAnswer {
  return server.channels.has(channel) ? { status: 204 } : UNKNOWN_CHANNEL;
}

function callback(server: DiscordWorld, [id, token = ""]: readonly string[], { type }: Fields): ApiAnswer {
  const interaction = server.interactions.get(token);
  if (interaction === undefined || interaction.id !== id) {
    return { status: 404, body: { message: "Unknown interaction", code: 10_062 } };
  }
  if (interaction.acknowledged !== null) {
    return { status: 400, body: { message: "Interaction has already been acknowledged.", code: 40_060 } };
  }
  interaction.acknowledged = Number(type);
  if (type === 5) interaction.original = "thinking";
  return { status: 204 };
}

function original(server: DiscordWorld, [, token = ""]: readonly string[], shown: Fields | "deleted"): ApiAnswer {
  const interaction = server.interactions.get(token);
  if (interaction === undefined || interaction.original === null) {
    return { status: 404, body: { message: "Unknown Webhook", code: 10_015 } };
  }
  interaction.original = shown;
  return shown === "deleted" ? { status: 204 } : ok(shown);
}

function problemOf({ content = "", components = [] }: Fields): ApiAnswer | null {
  if (String(content).trim() === "")
    return { status: 400, body: { message: "Cannot send an empty message", code: 50_006 } };
  if (String(content).length > 2000) return invalid("BASE_TYPE_MAX_LENGTH");
  for (const row of components as readonly Fields[]) {
    const buttons = row["components"] as readonly Fields[];
    const isGood = ({ custom_id: id, label }: Fields) =>
      String(id).length >= 1 && String(id).length <= 100 && String(label).length >= 1 && String(label).length <= 80;
    if (row["type"] !== 1 || buttons.length < 1 || buttons.length > 5 || !buttons.every(isGood)) {
      return invalid("BASE_TYPE_CHOICES");
    }
  }
  return null;
}

function invalid(code: string): ApiAnswer {
  const errors = { content: { _errors: [{ code, message: "Must be of another form." }] } };
  return { status: 400, body: { message: "Invalid Form Body", code: 50_035, errors } };
}

/** The bucket of a call: the writes of each kind to each channel. */
function bucketOf({ method, path }: Call): string | null {
  const [, channel] = /^\/channels\/(\d+)\/messages/.exec(path) ?? [];
  return channel === undefined || method === "GET" ? null : `${method} ${channel}`;
}

/** The calls of the same bucket in the present window, this one included; they are in `calls` already. */
function usedBy(server: DiscordWorld, call: Call, ms: number): readonly Call[] {
  const bucket = bucketOf(call);
  return server.calls.filter((one) => bucketOf(one) === bucket && call.at - one.at < ms);
}

function limited(server: DiscordWorld, call: Call): ApiAnswer | null {
  if (server.limit === null || bucketOf(call) === null) return null;
  const { calls: most, ms } = server.limit;
  const used = usedBy(server, call, ms);
  if (used.length <= most) return null;
  const seconds = (ms - (call.at - used[0]!.at)) / 1000;
  const body = { message: "You are being rate limited.", retry_after: seconds, global: false };
  return { status: 429, body, headers: { "retry-after": String(Math.ceil(seconds)), "x-ratelimit-scope": "user" } };
}

function headersOf(server: DiscordWorld, call: Call): Pick<ApiAnswer, "headers"> {
  const bucket = bucketOf(call);
  if (server.limit === null || bucket === null) return {};
  const { calls: most, ms } = server.limit;
  const used = usedBy(server, call, ms);
  const reset = (ms - (call.at - used[0]!.at)) / 1000;
  return {
    headers: {
      "x-ratelimit-limit": String(most),
      "x-ratelimit-remaining": String(Math.max(0, most - used.length)),
      "x-ratelimit-reset-after": reset.toFixed(3),
      "x-ratelimit-bucket": `bucket-${call.method}`,
    },
  };
}
