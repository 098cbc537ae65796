/** Reads Meta's webhooks: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages */
import { isMapping } from "#core/mapping";

type Fields = Readonly<Record<string, unknown>>;

/** A message of a user, as far as we read it. It is kept as JSON until it is done. */
export interface WebhookMessage {
  readonly id: string;
  /** The user's phone number, or the id of a user who hides it. */
  readonly user: string;
  /** The name in the user's profile; empty without one. */
  readonly name: string;
  readonly words: string;
  readonly file: WebhookFile | null;
  /** The message that this one replies to. */
  readonly repliesTo: string | null;
}

export interface WebhookFile {
  readonly id: string;
  readonly type: string;
  readonly name: string | null;
}

export interface ReadWebhook {
  readonly messages: readonly WebhookMessage[];
  /** Why sent messages did not reach their users, a sentence each. */
  readonly problems: readonly string[];
  /** What was ignored, and why; for the log. */
  readonly ignored: readonly string[];
}

/** What a webhook brings for a phone number. It never throws: what has an unknown form is ignored. */
export function readWebhook(body: unknown, phoneNumberId: string): ReadWebhook {
  const messages: WebhookMessage[] = [];
  const problems: string[] = [];
  const ignored: string[] = [];
  for (const { field, value } of changesOf(body)) {
    if (field !== "messages") {
      ignored.push(`a webhook of the field ${text(field)}`);
      continue;
    }
    const { phone_number_id: number = phoneNumberId } = mapping(value["metadata"]);
    if (String(number) !== phoneNumberId) {
      ignored.push("a message for another phone number");
      continue;
    }
    problems.push(...list(value["errors"]).map(describeError), ...list(value["statuses"]).flatMap(problemOfStatus));
    for (const message of list(value["messages"])) {
      const read = readMessage(message, namesOf(value));
      if (typeof read === "string") ignored.push(read);
      else messages.push(read);
    }
  }
  return { messages, problems, ignored };
}

function changesOf(body: unknown): readonly { readonly field: unknown; readonly value: Fields }[] {
  const { object, entry } = mapping(body);
  if (object !== "whatsapp_business_account") return [];
  return list(entry)
    .flatMap((one) => list(one["changes"]))
    .map(({ field, value }) => ({ field, value: mapping(value) }));
}

/** The message, or why it is ignored. */
function readMessage(message: Fields, names: ReadonlyMap<string, string>): WebhookMessage | string {
  const { id, from, from_user_id: hidden, group_id: group, type } = message;
  const user = text(from) || text(hidden);
  if (text(id) === "" || user === "") return "a message without an id or a sender";
  if (group !== undefined) return "a message in a group";
  const content = contentOf(message);
  if (content === null) return `a message of the type ${text(type)}`;
  const replied = text(mapping(message["context"])["id"]);
  return {
    id: text(id),
    user,
    name: names.get(user) ?? "",
    words: content.words,
    file: content.file ?? null,
    repliesTo: replied === "" || content.isPress === true ? null : replied,
  };
}

interface Content {
  readonly words: string;
  readonly file?: WebhookFile | null;
  /** True for a pressed button, which is a reply to its message by itself. */
  readonly isPress?: true;
}

/** Null for what nobody expects an answer to: reactions, stickers, edits, deletions, orders, notices, unknown types. */
function contentOf(message: Fields): Content | null {
  const type = text(message["type"]);
  const own = mapping(message[type]);
  switch (type) {
    case "text":
      return { words: text(own["body"]) };
    case "image":
    case "video":
    case "audio":
    case "document":
      return { words: text(own["caption"]), file: fileOf(own) };
    case "location":
      return { words: `(A location was sent: ${placeOf(own)}.)` };
    case "contacts":
      return { words: `(Contacts were sent: ${list(message["contacts"]).map(describeContact).join("; ")}.)` };
    case "interactive": {
      const button = mapping(own["button_reply"]);
      return text(button["id"]) === "" ? null : { words: text(button["id"]), isPress: true };
    }
    // A button of a template that somebody else sent.
    case "button":
      return { words: text(own["text"]) };
    default:
      return null;
  }
}

function fileOf({ id, mime_type: type, filename }: Fields): WebhookFile | null {
  return text(id) === "" ? null : { id: text(id), type: text(type), name: text(filename) || null };
}

function placeOf({ name, address, latitude, longitude }: Fields): string {
  const place = [name, address].map(inLine).filter((part) => part !== "");
  return [...place, `${Number(latitude)}, ${Number(longitude)}`].join(", ");
}

function describeContact({ name, phones }: Fields): string {
  const numbers = list(phones).map(({ phone }) => inLine(phone));
  return [inLine(mapping(name)["formatted_name"]), ...numbers].filter((part) => part !== "").join(", ");
}

/** Users by their number or their id. */
function namesOf(value: Fields): ReadonlyMap<string, string> {
  const users = list(value["contacts"]).flatMap(({ wa_id: number, user_id: hidden, profile }) =>
    [text(number), text(hidden)].map((user) => [user, inLine(mapping(profile)["name"])] as const),
  );
  return new Map(users);
}

function problemOfStatus({ status, recipient_id: user, errors }: Fields): readonly string[] {
  if (status !== "failed") return [];
  const reasons = list(errors).map(describeError);
  return [`a message to ${inLine(user)} did not arrive: ${reasons.join("; ") || "no reason given"}`];
}

function describeError({ code, title, message, error_data: data }: Fields): string {
  const words = inLine(mapping(data)["details"]) || inLine(message) || inLine(title);
  return `${words} (code ${inLine(code)})`;
}

const LONGEST_PART = 200;

/** Other people's text, as part of a sentence. */
function inLine(value: unknown): string {
  const line = text(value)
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ")
    .trim();
  return line.slice(0, LONGEST_PART).toWellFormed();
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function mapping(value: unknown): Fields {
  return isMapping(value) ? value : {};
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as unknown[]).filter(isMapping) : [];
}
