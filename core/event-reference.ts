/** The documentation of an event, derived from the table: the payload's fields, notes, and possible answers. */
import type { EventKind, GateVerb } from "./event-declaration.ts";
import { declarationOf, type EventName } from "./events.ts";
import type { Zod } from "./zod.ts";

/** The subset of JSON Schema that our payloads use. */
export interface PayloadSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, PayloadSchema>>;
  readonly anyOf?: readonly PayloadSchema[];
  readonly items?: PayloadSchema;
  readonly enum?: readonly unknown[];
}

export interface PayloadField {
  /** The full path: `event.source.platform`. */
  readonly key: string;
  readonly type: string;
  readonly sentence: string;
}

/** What answers do at each kind of event. */
export const ANSWERS: Readonly<Record<EventKind, string>> = {
  gate: "decides whether and how an action is carried out",
  context: "adds text to the turn",
  transform: "the first string replaces the text",
  observe: "answers are ignored",
};

/** The JSON Schema of the payload that plugins get, without live fields. */
export function payloadSchema(name: EventName, zod: Zod): PayloadSchema {
  return zod.toJSONSchema(declarationOf(name).payload(zod)) as PayloadSchema;
}

/** The fields of a payload, nested ones after their parent. `code` formats literal text. */
export function fieldsOf(schema: PayloadSchema, code: (text: string) => string, prefix = ""): readonly PayloadField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => [
    { key: `${prefix}${key}`, type: typeOf(value, code), sentence: value.description ?? "" },
    ...(value.type === "object" ? fieldsOf(value, code, `${prefix}${key}.`) : []),
  ]);
}

/** Further notes on an event, as sentences. */
export function notesOf(name: EventName, code: (text: string) => string): readonly string[] {
  const { tool, onFailure, live = [] } = declarationOf(name);
  return [
    ...(tool ? [`Shell hooks can set ${code("matcher")} to select tools.`] : []),
    ...(onFailure === "mark"
      ? [`A hook that fails is skipped unless it has ${code("fail_closed: true")} or ${code("on_error: block")}.`]
      : []),
    ...(live.length > 0 ? [`Plugins also get the live objects ${live.map(code).join(" and ")}.`] : []),
  ];
}

/** An answer, as a plugin and as a script gives it. */
interface AnswerForms {
  readonly plugin: string;
  readonly shell: string;
}

const VERBS: Readonly<Record<GateVerb, AnswerForms>> = {
  block: { plugin: '{ action: "block", message }', shell: '{"decision":"block","reason":"…"}' },
  ask: { plugin: '{ action: "ask", message }', shell: '{"action":"ask","message":"…"}' },
  modify: { plugin: '{ action: "modify", args }', shell: '{"decision":"modify","tool_input":{…}}' },
  skip: { plugin: '{ action: "skip", reason }', shell: '{"action":"skip","reason":"…"}' },
  rewrite: { plugin: '{ action: "rewrite", text }', shell: '{"action":"rewrite","text":"…"}' },
  allow: { plugin: '{ action: "allow" }', shell: '{"action":"allow"}' },
};

const REPLIES: Readonly<Record<EventKind, readonly AnswerForms[]>> = {
  gate: [],
  context: [{ plugin: "{ context }, or a string", shell: '{"context":"…"}' }],
  transform: [{ plugin: "a string", shell: '{"text":"…"}' }],
  observe: [],
};

/** The possible answers; empty for an event that only observes. */
export function answersOf(name: EventName): readonly AnswerForms[] {
  const { kind, verbs = [], exitTwoBlocks } = declarationOf(name);
  const ofVerbs = verbs.map((verb) => {
    const { plugin, shell } = VERBS[verb];
    return { plugin, shell: verb === "block" && exitTwoBlocks ? `${shell}, or exit code 2` : shell };
  });
  return [...ofVerbs, ...REPLIES[kind]];
}

function typeOf(schema: PayloadSchema, code: (text: string) => string): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(", ");
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => typeOf(one, code)).join(" or ");
  if (schema.type === "array") {
    return `array of ${schema.items === undefined ? "anything" : typeOf(schema.items, code)}`;
  }
  return typeof schema.type === "string" ? schema.type : (schema.type ?? ["anything"]).join(" or ");
}
