/** The calls of the Cloud API that we use. They only throw a CallFailure. */
import { isMapping } from "#core/mapping";
import type { ReplyTarget } from "#core/ports/platform";
import { CallFailure } from "#gateway/adapters/shared/call-failure";
import type { SentFile } from "#gateway/adapters/shared/files";
import type { MessageClient, TypingClient } from "#gateway/adapters/shared/message-client";
import type { Answer, Graph } from "./graph.ts";

export interface WhatsAppClient extends MessageClient<string>, TypingClient {
  /** The business' phone number. */
  describeNumber(signal?: AbortSignal): Promise<PhoneNumber>;
  /** Where a file is, and what it is. */
  findFile(id: string): Promise<SentFile & { readonly url: string }>;
}

export interface PhoneNumber {
  /** As Meta shows it: `+1 555-078-3881`. */
  readonly shown: string;
  readonly name: string;
}

export interface ClientOptions {
  readonly graph: Graph;
  readonly phoneNumberId: string;
  /** The newest message of a user, which can be marked as read. */
  readonly newestFrom: (user: string) => string | undefined;
  /** Called for each text that a user got. */
  readonly onSent: (id: string, text: string) => void;
}

/** https://developers.facebook.com/docs/whatsapp/cloud-api/messages/interactive-reply-buttons-messages */
const MOST_BUTTONS = 3;
const LONGEST_TITLE = 20;

/** Makes the calls for one phone number; nothing is called yet. */
export function createClient({ graph, phoneNumberId, newestFrom, onSent }: ClientOptions): WhatsAppClient {
  const number = `/${encodeURIComponent(phoneNumberId)}`;

  return {
    async describeNumber(signal) {
      const answer = await graph.get(`${number}?fields=display_phone_number,verified_name`, signal);
      const { id, display_phone_number: shown = id, verified_name: name } = answer;
      if (typeof shown !== "string") throw new CallFailure("the server does not speak the Graph API");
      return { shown, name: typeof name === "string" ? name : "" };
    },
    async sendMessage(target, text, { signal, buttons } = {}) {
      const content =
        buttons === undefined
          ? { type: "text", text: { body: text, preview_url: false } }
          : { type: "interactive", interactive: question(text, buttons.choices) };
      const answer = await graph.post(`${number}/messages`, { ...envelope(target), ...content }, signal);
      const id = idOf(answer);
      onSent(id, text);
      return id;
    },
    async showTyping({ chat_id: user }) {
      const message = newestFrom(user);
      if (message === undefined) return;
      // It is shown for 25 seconds, and the message is marked as read.
      const typing = { status: "read", message_id: message, typing_indicator: { type: "text" } };
      await graph.post(`${number}/messages`, { messaging_product: "whatsapp", ...typing });
    },
    async findFile(id) {
      const path = `/${encodeURIComponent(id)}?phone_number_id=${encodeURIComponent(phoneNumberId)}`;
      const { url, mime_type: type, file_size: bytes } = await graph.get(path);
      if (typeof url !== "string") throw new CallFailure("the server does not give the file");
      return {
        url,
        type: typeof type === "string" ? type : null,
        bytes: typeof bytes === "number" ? bytes : Number(bytes) || null,
      };
    },
  };
}

function question(text: string, choices: readonly { readonly label: string; readonly message: string }[]) {
  const buttons = choices.slice(0, MOST_BUTTONS).map(({ label, message }) => ({
    type: "reply",
    reply: { id: message, title: label.slice(0, LONGEST_TITLE).toWellFormed() },
  }));
  return { type: "button", body: { text }, action: { buttons } };
}

/** A user is a phone number; one who hides it has an id with a country, such as `US.1349120865530274`. */
function envelope({ chat_id: user }: ReplyTarget) {
  const isNumber = /^\+?\d+$/.test(user);
  const address = isNumber ? { to: user } : { recipient: user };
  return { messaging_product: "whatsapp", recipient_type: "individual", ...address };
}

function idOf({ messages }: Answer): string {
  const [first] = Array.isArray(messages) ? (messages as unknown[]) : [];
  const id = isMapping(first) ? first["id"] : undefined;
  if (typeof id !== "string") throw new CallFailure("the server does not speak the Graph API");
  return id;
}
