/**
 * Writes core/event-payloads.ts, the payloads with their documentation for editors, from the table of core/events.ts:
 * `node .ci/event-types.ts`. A test checks that it is up to date.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { answersOf, notesOf, payloadSchema, type PayloadSchema } from "#core/event-reference";
import { declarationOf, EVENT_NAMES, type EventName } from "#core/events";

/** The schema of a record also tells the type of its values. */
type Schema = PayloadSchema & { readonly additionalProperties?: Schema | boolean };

/** For fewer fields, a reference would say less than the fields. */
const FEWEST_SHARED = 3;

const code = (text: string) => `\`${text}\``;

/** The file's text. */
export function eventTypes(): string {
  return `/**
 * The payloads of the hook events with their documentation, as editors show them. Generated from core/events.ts by
 * \`node .ci/event-types.ts\`; do not edit.
 */

export interface EventPayloads {
${EVENT_NAMES.map(memberOf).join("\n")}
}
`;
}

function memberOf(name: EventName): string {
  const { sentence, kind } = declarationOf(name);
  const answers = answersOf(name).map(({ plugin }) => `- \`${plugin}\``);
  const lines = [
    [sentence, ...notesOf(name, code)].join(" "),
    "",
    ...(answers.length === 0 ? ["Answers are ignored."] : [`Answers (${kind}), all optional:`, ...answers]),
  ];
  return `${commentOf(lines, "  ")}  readonly ${name}: ${payloadOf(name)};`;
}

/** The payload's type: what an earlier event has already, and the fields of its own. */
function payloadOf(name: EventName): string {
  const schema: Schema = payloadSchema(name, z);
  const base = baseOf(name);
  if (base === undefined) return typeOf(schema, "  ");
  const shared = fieldsOf(base);
  const own = Object.entries(schema.properties ?? {}).filter(([key]) => !shared.has(key));
  const inherited = `EventPayloads["${base}"]`;
  if (own.length === 0) return inherited;
  return `${inherited} & ${typeOf({ ...schema, properties: Object.fromEntries<PayloadSchema>(own) }, "  ")}`;
}

/** The earlier event that has the most fields, all of which this one has too, if that saves anything. */
function baseOf(name: EventName): EventName | undefined {
  const mine = fieldsOf(name);
  const isPart = (other: EventName) => [...fieldsOf(other)].every(([key, text]) => mine.get(key) === text);
  const size = (other: EventName) => fieldsOf(other).size;
  const [base] = EVENT_NAMES.slice(0, EVENT_NAMES.indexOf(name))
    .filter((other) => size(other) >= FEWEST_SHARED && isPart(other))
    .toSorted((one, other) => size(other) - size(one));
  return base;
}

/** The fields of an event, each as text to compare. */
function fieldsOf(name: EventName): ReadonlyMap<string, string> {
  const { properties = {} }: Schema = payloadSchema(name, z);
  return new Map(Object.entries(properties).map(([key, field]) => [key, JSON.stringify(field)]));
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (Array.isArray(schema.type)) return schema.type.map((type: string) => typeOf({ type }, indent)).join(" | ");
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => typeOf(one, indent)).join(" | ");
  switch (schema.type) {
    case "array":
      return `${listable(typeOf(schema.items ?? {}, indent))}[]`;
    case "object":
      return objectOf(schema, indent);
    case "integer":
    case "number":
      return "number";
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    default:
      return "unknown";
  }
}

function objectOf({ properties, additionalProperties }: Schema, indent: string): string {
  if (properties === undefined) return "Record<string, unknown>";
  const inner = `${indent}  `;
  const members = Object.entries(properties).map(
    ([key, value]) => `${commentOf([value.description ?? ""], inner)}${inner}${key}: ${typeOf(value, inner)};`,
  );
  // A message of a conversation may have further keys.
  const open = typeof additionalProperties === "object" ? [`${inner}[key: string]: unknown;`] : [];
  return `{\n${[...members, ...open].join("\n")}\n${indent}}`;
}

function listable(type: string): string {
  return type.includes("|") ? `(${type})` : type;
}

function commentOf(lines: readonly string[], indent: string): string {
  const [first = ""] = lines;
  if (lines.length === 1) return first === "" ? "" : `${indent}/** ${first} */\n`;
  const body = lines.map((line) => `${indent} *${line === "" ? "" : ` ${line}`}\n`).join("");
  return `${indent}/**\n${body}${indent} */\n`;
}

if (import.meta.main) writeFileSync(resolve(import.meta.dirname, "../core/event-payloads.ts"), eventTypes());
