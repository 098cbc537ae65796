/** A Bot API server on loopback that behaves as Telegram's does, or as badly as a test says. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { LoopbackServer } from "./loopback-server.ts";

export const TOKEN = "123456:test-token-of-the-fake-server";
export const BOT_NAME = "HermesTestBot";

export interface Call {
  readonly method: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Milliseconds, for differences only. */
  readonly at: number;
}

/** What a call gets instead of its answer. */
export type Misbehaviour =
  | {
      readonly status: number;
      readonly description?: string;
      readonly parameters?: { readonly retry_after?: number; readonly migrate_to_chat_id?: number };
    }
  /** The socket is destroyed before the call had its effect, or after. */
  | "drop"
  | "drop after"
  /** An answer that is no JSON. */
  | "html"
  /** No answer until the client goes away. */
  | "hang"
  /** Nothing goes wrong with this one. */
  | "serve";

interface Button {
  readonly text: string;
  readonly callback_data: string;
  readonly style?: string;
}

interface Message {
  readonly chat_id: string;
  text: string;
  readonly thread: unknown;
  buttons: readonly Button[];
}

type Result = { readonly result: unknown } | { readonly refused: string };

export class TelegramServer extends LoopbackServer {
  readonly calls: Call[] = [];
  /** All messages in the chats, by id. */
  readonly messages = new Map<number, Message>();
  /** Update ids that a poll confirmed by asking from a later one on. */
  readonly confirmed: number[] = [];
  token = TOKEN;
  /** The files that can be loaded, by id. */
  readonly files = new Map<string, Buffer>();
  /** What `getMe` says of the bot's privacy mode: false while it is on. */
  readsGroups = true;
  /** The same updates again, whatever the client confirmed. */
  forgetful = false;
  #updates: { update_id: number }[] = [];
  #nextUpdate = 1000;
  #nextMessage = 1;
  #misbehaviours = new Map<string, Misbehaviour[]>();
  #polls: (() => void)[] = [];

  /** Adds updates as they are, each with a number of its own if it has none; gives their numbers. */
  push(...updates: readonly object[]): number[] {
    const numbered = updates.map((update) => ({ update_id: this.#nextUpdate++, ...update }));
    this.#updates.push(...numbered);
    for (const wake of this.#polls.splice(0)) wake();
    return numbered.map(({ update_id: id }) => id);
  }

  /** Adds the update of a private text message; gives the message. */
  say(text: string, fields: Readonly<Record<string, unknown>> = {}): { message_id: number } {
    const chat = { id: 42, type: "private" };
    const from = { id: 42, is_bot: false, first_name: "Ada" };
    const message = { message_id: this.#nextMessage++, date: 1, chat, from, text, ...fields };
    this.push({ message });
    return message;
  }

  /** Adds the update of a press of the button with this label, below the newest message that has one; gives its id. */
  press(label: string, fields: Readonly<Record<string, unknown>> = {}): string {
    const found = [...this.messages].findLast(([, { buttons }]) => buttons.some(({ text }) => text === label));
    if (found === undefined) throw new Error(`no message has the button ${label}`);
    const [number, { chat_id: chat, buttons, text, thread }] = found;
    const id = String(7_000_000_000 + this.#nextUpdate);
    const type = chat.startsWith("-") ? "supergroup" : "private";
    const topic = thread === undefined ? {} : { message_thread_id: thread, is_topic_message: true };
    const message = { message_id: number, date: 1, chat: { id: Number(chat), type }, text, ...topic };
    const data = buttons.find((button) => button.text === label)!.callback_data;
    const from = { id: 42, is_bot: false, first_name: "Ada" };
    this.push({ callback_query: { id, from, message, chat_instance: "1", data, ...fields } });
    return id;
  }

  /** The next calls of the method go wrong in this way, one each. */
  misbehave(method: string, ...ways: readonly Misbehaviour[]): void {
    this.#misbehaviours.set(method, [...(this.#misbehaviours.get(method) ?? []), ...ways]);
  }

  callsOf(method: string): readonly Call[] {
    return this.calls.filter((call) => call.method === method);
  }

  /** The texts of the chat's messages, oldest first. */
  textsOf(chatId: number | string): readonly string[] {
    return [...this.messages.values()].filter(({ chat_id: id }) => id === String(chatId)).map(({ text }) => text);
  }

  protected override async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The client went away in the middle of its call.
      return;
    }
    const [, fileToken, file = ""] = /^\/file\/bot([^/]+)\/files\/(\w+)$/.exec(request.url ?? "") ?? [];
    if (fileToken === this.token) return void response.end(this.files.get(file));
    const [, token, method = ""] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url ?? "") ?? [];
    const body = JSON.parse(Buffer.concat(chunks).toString() || "{}") as Record<string, unknown>;
    this.calls.push({ method, body, at: performance.now() });
    const way = this.#misbehaviours.get(method)?.shift() ?? "serve";
    if (way !== "serve") return this.#fail(way, method, body, response);
    if (token !== this.token) return reply(response, 401, { description: "Unauthorized" });
    this.#finish(response, await this.#perform(method, body, response));
  }

  #finish(response: ServerResponse, result: Result | null): void {
    if (result === null) return;
    if ("refused" in result) reply(response, 400, { description: `Bad Request: ${result.refused}` });
    else reply(response, 200, { result: result.result });
  }

  async #fail(
    way: Exclude<Misbehaviour, "serve">,
    method: string,
    body: Call["body"],
    response: ServerResponse,
  ): Promise<void> {
    if (way === "hang") return;
    if (way === "html") return void response.end("<html>Bad gateway</html>");
    if (way === "drop after") await this.#perform(method, body, response);
    if (typeof way === "string") return void response.destroy();
    const { status, description = "no", parameters } = way;
    reply(response, status, { description, ...(parameters === undefined ? {} : { parameters }) });
  }

  async #perform(method: string, body: Call["body"], response: ServerResponse): Promise<Result | null> {
    const { chat_id: chat, message_id: id, text = "", message_thread_id: thread } = body;
    const buttons = buttonsOf(body);
    const name = { chat_id: String(chat), text: String(text), thread, buttons };
    const isBlank = name.text.trim() === "";
    switch (method) {
      case "getMe":
        return {
          result: {
            id: 123456,
            is_bot: true,
            first_name: "Hermes",
            username: BOT_NAME,
            can_read_all_group_messages: this.readsGroups,
          },
        };
      case "getUpdates":
        return this.#poll(body, response);
      case "sendMessage": {
        if (isBlank) return { refused: "message text is empty" };
        if (name.text.length > 4096) return { refused: "message is too long" };
        if (buttons.some(({ callback_data: data }) => data === "" || Buffer.byteLength(data) > 64)) {
          return { refused: "BUTTON_DATA_INVALID" };
        }
        const message = this.#nextMessage++;
        this.messages.set(message, name);
        return { result: { message_id: message, date: 1, chat: { id: chat, type: "private" }, text } };
      }
      case "editMessageText": {
        const message = this.messages.get(Number(id));
        if (message === undefined) return { refused: "message to edit not found" };
        if (message.text === text) return { refused: "message is not modified: the content is the same" };
        if (isBlank || name.text.length > 4096) return { refused: "message text is empty or too long" };
        message.text = name.text;
        message.buttons = buttons;
        return { result: true };
      }
      case "editMessageReplyMarkup": {
        const message = this.messages.get(Number(id));
        if (message === undefined) return { refused: "message to edit not found" };
        if (message.buttons.length === 0) return { refused: "message is not modified: the markup is the same" };
        message.buttons = buttons;
        return { result: true };
      }
      case "answerCallbackQuery":
        return { result: true };
      case "deleteMessage":
        return this.messages.delete(Number(id)) ? { result: true } : { refused: "message to delete not found" };
      case "getFile": {
        const file = String(body["file_id"]);
        return this.files.has(file)
          ? { result: { file_id: file, file_path: `files/${file}` } }
          : { refused: "wrong file_id" };
      }
      case "sendChatAction":
        return { result: true };
      default:
        return { refused: `no method ${method}` };
    }
  }

  /** Null when the client went away while it waited. */
  async #poll(body: Call["body"], response: ServerResponse): Promise<Result | null> {
    const [offset, seconds] = [Number(body["offset"] ?? 0), Number(body["timeout"] ?? 0)];
    const allowed = body["allowed_updates"];
    // Telegram never sends a kind of update that was not asked for.
    const isWanted = (update: object) =>
      !("callback_query" in update) || !Array.isArray(allowed) || allowed.includes("callback_query");
    this.#updates = this.#updates.filter(isWanted);
    const known = this.#updates;
    this.confirmed.push(...known.filter(({ update_id: id }) => id < offset).map(({ update_id: id }) => id));
    if (!this.forgetful) this.#updates = known.filter(({ update_id: id }) => id >= offset);
    if (this.#updates.length === 0 && seconds > 0) {
      await new Promise<void>((wake) => {
        this.#polls.push(wake);
        const timer = setTimeout(wake, seconds * 1000);
        response.once("close", () => {
          clearTimeout(timer);
          wake();
        });
      });
    }
    return response.destroyed ? null : { result: this.#updates.filter(isWanted).slice(0, 100) };
  }
}

function buttonsOf({ reply_markup: markup }: Call["body"]): readonly Button[] {
  return ((markup as { inline_keyboard?: Button[][] } | undefined)?.inline_keyboard ?? []).flat();
}

function reply(response: ServerResponse, status: number, fields: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(status === 200 ? { ok: true, ...fields } : { ok: false, error_code: status, ...fields }));
}
