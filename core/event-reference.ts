/** What people read about an event, derived from the table: fields of the payload, notes, what may be answered. */
import { declarationOf, type EventKind, type EventName } from "./events.ts";
import type { Zod } from "./zod.ts";

/** The part of JSON Schema that our payloads use. */
export interface PayloadSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, PayloadSchema>>;
  readonly anyOf?: readonly PayloadSchema[];
  readonly items?: PayloadSchema;
  readonly enum?: readonly unknown[];
}

export interface PayloadField {
  /** With the keys around it: `event.source.platform`. */
  readonly key: string;
  readonly type: string;
  readonly sentence: string;
}

/** What the answers to each kind of event do. */
export const ANSWERS: Readonly<Record<EventKind, string>> = {
  gate: "decides whether and how something happens",
  context: "adds text to the turn",
  transform: "the first string replaces the text",
  observe: "answers do not count",
};

/** The JSON Schema of the payload that plugins get, live fields left out. */
export function payloadSchema(name: EventName, zod: Zod): PayloadSchema {
  return zod.toJSONSchema(declarationOf(name).payload(zod)) as PayloadSchema;
}

/** The fields of a payload, inner ones after the one that holds them. `code` marks what is written literally. */
export function fieldsOf(schema: PayloadSchema, code: (text: string) => string, prefix = ""): readonly PayloadField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => [
    { key: `${prefix}${key}`, type: typeOf(value, code), sentence: value.description ?? "" },
    ...(value.type === "object" ? fieldsOf(value, code, `${prefix}${key}.`) : []),
  ]);
}

/** What else there is to know about an event, as sentences. */
export function notesOf(name: EventName, code: (text: string) => string): readonly string[] {
  const { tool, onFailure, live = [] } = declarationOf(name);
  return [
    ...(tool ? [`A shell hook's ${code("matcher")} counts here.`] : []),
    ...(onFailure === "mark" ? ["A hook that fails is skipped, unless it is marked to block."] : []),
    ...(live.length > 0 ? [`Plugins also get ${live.map(code).join(" and ")}, live.`] : []),
  ];
}

/** The answers that count, in the words of a plugin and of a script; empty for an event that observes only. */
export function answersOf(name: EventName): readonly { readonly plugin: string; readonly shell: string }[] {
  const { kind } = declarationOf(name);
  if (name === "pre_tool_call") {
    return [
      { plugin: '{ action: "block", message }', shell: '{"decision":"block","reason":"…"}, or exit code 2' },
      { plugin: '{ action: "modify", args }', shell: '{"decision":"modify","tool_input":{…}}' },
    ];
  }
  if (kind === "gate") {
    return [
      { plugin: '{ action: "skip", reason }', shell: '{"action":"skip","reason":"…"}' },
      { plugin: '{ action: "rewrite", text }', shell: '{"action":"rewrite","text":"…"}' },
      { plugin: '{ action: "allow" }', shell: '{"action":"allow"}' },
    ];
  }
  if (kind === "context") return [{ plugin: "{ context }, or a string", shell: '{"context":"…"}' }];
  return kind === "transform" ? [{ plugin: "a string", shell: '{"text":"…"}' }] : [];
}

function typeOf(schema: PayloadSchema, code: (text: string) => string): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(", ");
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => typeOf(one, code)).join(" or ");
  if (schema.type === "array") {
    return `array of ${schema.items === undefined ? "anything" : typeOf(schema.items, code)}`;
  }
  return typeof schema.type === "string" ? schema.type : (schema.type ?? ["anything"]).join(" or ");
}
