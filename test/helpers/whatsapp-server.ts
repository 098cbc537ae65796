/** The Graph API of WhatsApp's Cloud API on loopback, as Meta documents it, or as badly as a test says. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { LoopbackServer } from "./loopback-server.ts";

export const TOKEN = "EAAtest-token-of-the-fake-server";
/** The id of the business' phone number, and the number. */
export const PHONE_NUMBER_ID = "106540352242922";
export const OWN_NUMBER = "15550783881";

export type CallKind = "number" | "text" | "interactive" | "read" | "media" | "download" | "unknown";

export interface GraphCall {
  readonly kind: CallKind;
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  /** Milliseconds, for differences only. */
  readonly at: number;
}

/** A message that a user has. */
export interface SentMessage {
  readonly id: string;
  readonly to: string;
  readonly text: string;
  readonly buttons: readonly { readonly id: string; readonly title: string }[];
}

/** What a call gets instead of its answer. */
export type GraphMisbehaviour =
  /** An error of the table below. */
  | { readonly code: number; readonly message?: string }
  /** An answer without a body. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The socket is destroyed before the call had its effect, or after. */
  | "drop"
  | "drop after"
  /** A page of something in between. */
  | "html"
  /** No answer until the client goes away. */
  | "hang"
  | "serve";

interface MediaFile {
  readonly data: Buffer;
  readonly mime: string;
  /** Another address than this server's own. */
  readonly url?: string;
}

interface GraphError {
  readonly code: number;
  readonly message?: string;
  readonly subcode?: number;
  readonly details?: string;
}

/** Status and text of the codes: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes */
const ERRORS: Readonly<Record<number, { readonly status: number; readonly message: string }>> = {
  0: { status: 401, message: "AuthException" },
  4: { status: 429, message: "(#4) Application request limit reached" },
  10: { status: 403, message: "(#10) Application does not have permission for this action" },
  100: { status: 400, message: "(#100) Invalid parameter" },
  190: { status: 401, message: "Error validating access token: The session has been invalidated" },
  200: { status: 403, message: "(#200) You do not have the necessary permissions to send messages" },
  80007: { status: 400, message: "(#80007) Rate limit issues" },
  130429: { status: 400, message: "(#130429) Rate limit hit" },
  131000: { status: 500, message: "(#131000) Something went wrong" },
  131009: { status: 400, message: "(#131009) Parameter value is not valid" },
  131026: { status: 400, message: "(#131026) Message undeliverable" },
  131047: { status: 400, message: "(#131047) Re-engagement message" },
  131056: { status: 400, message: "(#131056) (Business Account, Consumer Account) pair rate limit hit" },
};

export class WhatsAppServer extends LoopbackServer {
  readonly calls: GraphCall[] = [];
  readonly messages: SentMessage[] = [];
  readonly files = new Map<string, MediaFile>();
  /** Ids of messages that users sent: only these can be marked as read. */
  readonly received = new Set<string>();
  token = TOKEN;
  /** False for a server whose paths have no version. */
  hasVersions = true;
  #count = 0;
  readonly #misbehaviours = new Map<CallKind, GraphMisbehaviour[]>();

  /** The next calls of the kind go wrong in this way, one each. */
  misbehave(kind: CallKind, ...ways: readonly GraphMisbehaviour[]): void {
    this.#misbehaviours.set(kind, [...(this.#misbehaviours.get(kind) ?? []), ...ways]);
  }

  callsOf(kind: CallKind): readonly GraphCall[] {
    return this.calls.filter((call) => call.kind === kind);
  }

  /** The texts that the user got, oldest first. */
  textsOf(user: number | string): readonly string[] {
    return this.messages.filter(({ to }) => to === String(user)).map(({ text }) => text);
  }

  /** The last message with buttons that the user got. */
  questionOf(user: number | string): SentMessage | undefined {
    return this.messages.findLast(({ to, buttons }) => to === String(user) && buttons.length > 0);
  }

  /** What was answered arrives. */
  protected override cut(socket: Socket): void {
    socket.destroySoon();
  }

  protected override async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The client went away in the middle of its call.
      return;
    }
    if (!this.isUp) return void response.destroy();
    const { pathname } = new URL(request.url ?? "/", this.url);
    const method = request.method ?? "";
    const body = JSON.parse(Buffer.concat(chunks).toString() || "{}") as Record<string, unknown>;
    const kind = this.#kindOf(method, pathname, body);
    const { authorization } = request.headers;
    this.calls.push({ kind, method, path: pathname, authorization, body, at: performance.now() });
    const perform = () => this.#perform(kind, pathname, body, authorization);
    const way = this.#misbehaviours.get(kind)?.shift() ?? "serve";
    if (way === "serve") return send(response, perform());
    if (way === "hang") return;
    if (way === "html") return void response.writeHead(200, { "content-type": "text/html" }).end("<html>hello</html>");
    if (way === "drop after") perform();
    if (typeof way === "string") return void response.destroy();
    if ("status" in way) return void response.writeHead(way.status, way.headers).end();
    return send(response, { error: way });
  }

  #kindOf(method: string, path: string, body: Readonly<Record<string, unknown>>): CallKind {
    if (method === "GET" && path.startsWith("/lookaside/")) return "download";
    const rest = this.#restOf(path);
    if (rest === null) return "unknown";
    if (method === "POST" && rest.endsWith("/messages")) {
      if (body["status"] === "read") return "read";
      return body["type"] === "interactive" ? "interactive" : "text";
    }
    if (method !== "GET") return "unknown";
    return this.files.has(rest.slice(1)) ? "media" : "number";
  }

  /** The path behind the version; null for one that is not of the API. */
  #restOf(path: string): string | null {
    const [version, rest = ""] = /^\/v\d+\.\d+(\/.*)/.exec(path) ?? [];
    if (version === undefined) return this.hasVersions ? null : path;
    return this.hasVersions ? rest : null;
  }

  #perform(
    kind: CallKind,
    path: string,
    body: Readonly<Record<string, unknown>>,
    authorization: string | undefined,
  ): Answer {
    if (kind === "unknown") return { status: 404 };
    if (authorization !== `Bearer ${this.token}`) return { error: { code: 190 } };
    const id = path.split("/").at(-1) ?? "";
    if (kind === "download") return { data: this.files.get(id)?.data ?? Buffer.alloc(0) };
    if (kind === "media") return { json: this.#media(id) };
    const rest = this.#restOf(path) ?? "";
    if (rest !== `/${PHONE_NUMBER_ID}` && rest !== `/${PHONE_NUMBER_ID}/messages`) {
      const message = `Unsupported ${kind === "number" ? "get" : "post"} request. Object with ID '${rest.split("/")[1]}' does not exist, cannot be loaded due to missing permissions, or does not support this operation`;
      return { error: { code: 100, subcode: 33, message } };
    }
    if (kind === "number") {
      return { json: { id: PHONE_NUMBER_ID, verified_name: "Hermes Test", display_phone_number: "+1 555-078-3881" } };
    }
    const problem = problemWith(kind, body, this.received);
    if (problem !== null) return { error: problem };
    return { json: kind === "read" ? { success: true } : this.#take(body) };
  }

  #media(id: string): object {
    const { data, mime, url = `${this.url}/lookaside/${id}` } = this.files.get(id)!;
    return { messaging_product: "whatsapp", url, mime_type: mime, sha256: "0", file_size: data.length, id };
  }

  #take(body: Readonly<Record<string, unknown>>): object {
    const { text, interactive, to } = body as unknown as Body;
    const id = `wamid.SENT${++this.#count}`;
    const buttons = interactive?.action.buttons.map(({ reply }) => reply) ?? [];
    this.messages.push({ id, to, text: text?.body ?? interactive?.body.text ?? "", buttons });
    return { messaging_product: "whatsapp", contacts: [{ input: to, wa_id: to }], messages: [{ id }] };
  }
}

interface Body {
  readonly to: string;
  readonly text?: { readonly body: string };
  readonly interactive?: {
    readonly type: string;
    readonly body: { readonly text: string };
    readonly action: {
      readonly buttons: readonly { readonly reply: { readonly id: string; readonly title: string } }[];
    };
  };
}

type Answer =
  | { readonly json: object }
  | { readonly data: Buffer }
  | { readonly status: number }
  | { readonly error: GraphError };

/** What Meta refuses of a body; null for a good one. */
function problemWith(
  kind: CallKind,
  given: Readonly<Record<string, unknown>>,
  received: ReadonlySet<string>,
): GraphError | null {
  const invalid = (details: string): GraphError => ({ code: 131009, details });
  if (given["messaging_product"] !== "whatsapp") return { code: 100, message: "(#100) messaging_product is required" };
  if (kind === "read") {
    const typing = given["typing_indicator"] as { type?: unknown } | undefined;
    if (typing !== undefined && typing.type !== "text") return invalid("typing_indicator");
    return received.has(String(given["message_id"])) ? null : invalid("message_id");
  }
  const { to, text, interactive } = given as unknown as Body;
  if (typeof to !== "string" || !/^\+?\d{1,20}$/.test(to)) return { code: 100, message: "(#100) to is not a number" };
  if (kind === "text") {
    const length = text?.body?.length ?? 0;
    return length >= 1 && length <= 4096 && text!.body.trim() !== ""
      ? null
      : { code: 100, message: "(#100) text.body" };
  }
  const { body, action, type } = interactive!;
  if (type !== "button" || body.text.trim() === "" || body.text.length > 1024) return invalid("interactive.body");
  const replies = action.buttons.map(({ reply }) => reply);
  const titles = new Set(replies.map(({ title }) => title));
  const ids = new Set(replies.map(({ id }) => id));
  if (replies.length === 0 || replies.length > 3) return invalid("one to three buttons");
  if (titles.size < replies.length || ids.size < replies.length) return invalid("buttons are not unique");
  const isValid = replies.every(({ id, title }) => title !== "" && title.length <= 20 && id !== "" && id.length <= 256);
  return isValid ? null : invalid("interactive.action.buttons");
}

function send(response: ServerResponse, answer: Answer): void {
  if ("data" in answer) return void response.end(answer.data);
  if ("status" in answer) return void response.writeHead(answer.status).end();
  const { status, body } = "json" in answer ? { status: 200, body: answer.json } : errorBody(answer.error);
  response.writeHead(status, { "content-type": "application/json; charset=UTF-8" });
  response.end(JSON.stringify(body));
}

function errorBody({ code, message, subcode, details }: GraphError): { status: number; body: object } {
  const known = ERRORS[code] ?? { status: 400, message: `(#${code}) Unknown` };
  const error = {
    message: message ?? known.message,
    type: subcode === 33 ? "GraphMethodException" : "OAuthException",
    code,
    ...(subcode === undefined ? {} : { error_subcode: subcode }),
    ...(details === undefined ? {} : { error_data: { messaging_product: "whatsapp", details } }),
    fbtrace_id: "Az8or2yhqkZfEZ-_4Qn_Bam",
  };
  return { status: known.status, body: { error } };
}
