/** Meta's side of the webhook: what it sends for a message, signed, and again until it gets 200. */
import { createHmac } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { OWN_NUMBER, PHONE_NUMBER_ID } from "./whatsapp-server.ts";

export const APP_SECRET = "test-app-secret-0123456789abcdef";
export const VERIFY_TOKEN = "test-verify-token-0123456789";

export interface WebhookMessage {
  readonly id: string;
  readonly from: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

let count = 0;

/** A message of a user, of the type that `fields` say; a text otherwise. */
export function messageOf(
  from: number | string,
  text: string,
  fields: Readonly<Record<string, unknown>> = {},
): WebhookMessage {
  const id = `wamid.RECEIVED${process.pid}.${++count}`;
  const content = "type" in fields ? {} : { text: { body: text } };
  return { from: String(from), id, timestamp: "1749416383", type: "text", ...content, ...fields };
}

/** A press of a reply button, by its id. */
export function pressOf(
  from: number | string,
  button: { readonly id: string; readonly title: string },
): WebhookMessage {
  const interactive = { type: "button_reply", button_reply: button };
  return messageOf(from, "", { type: "interactive", interactive, context: { from: OWN_NUMBER, id: "wamid.SENT1" } });
}

/** The body of one webhook with these messages. */
export function webhookOf(...messages: readonly WebhookMessage[]): object {
  const users = [...new Set(messages.map(({ from }) => from))];
  return webhookWith({
    contacts: users.map((id) => ({ profile: { name: `User ${id}` }, wa_id: id })),
    messages,
  });
}

/** The body of one webhook with these fields of its value: `statuses`, `errors`, `message_echoes`. */
export function webhookWith(value: object, field = "messages"): object {
  const metadata = { display_phone_number: OWN_NUMBER, phone_number_id: PHONE_NUMBER_ID };
  const changes = [{ value: { messaging_product: "whatsapp", metadata, ...value }, field }];
  return { object: "whatsapp_business_account", entry: [{ id: "102290129340398", changes }] };
}

/** As the documentation says: https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads */
export function signatureOf(body: string, secret = APP_SECRET): string {
  return `sha256=${createHmac("sha256", secret).update(body, "utf8").digest("hex")}`;
}

/** Meta escapes what is not ASCII, and the signature is over the escaped form. */
export function bodyOf(webhook: object): string {
  return JSON.stringify(webhook).replaceAll(
    /[\u0080-\uFFFF]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Posts a body once; gives the status. `signature: null` leaves the header out. */
export async function post(
  url: string,
  body: string,
  { signature = signatureOf(body) }: { readonly signature?: string | null } = {},
): Promise<number> {
  const headers = {
    "content-type": "application/json",
    "user-agent": "facebookexternalua",
    ...(signature === null ? {} : { "x-hub-signature-256": signature }),
  };
  const response = await fetch(url, { method: "POST", headers, body });
  await response.arrayBuffer();
  return response.status;
}

/** Posts a webhook again and again until the gateway has taken it, as Meta does; gives the number of attempts. */
export async function deliver(url: string, webhook: object): Promise<number> {
  const body = bodyOf(webhook);
  for (let attempt = 1; ; attempt++) {
    // Nobody listens: the gateway is down.
    const status = await post(url, body).catch(() => 0);
    if (status === 200) return attempt;
    if (attempt === 1000) throw new Error(`the webhook was never taken (${status})`);
    await pause(20);
  }
}
