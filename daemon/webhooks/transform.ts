/** The body that an endpoint gets instead of the payload: templates of Mustache in every text of `transform`. */
import Mustache from "mustache";
import { payloadSchema } from "#core/event-reference";
import { isEventName } from "#core/events";
import { problemOf } from "#core/errors";
import { z } from "zod";
import type { Endpoint } from "./endpoints.ts";
import { SAMPLE_FIELDS } from "./samples.ts";

/**
 * The body for a payload, as JSON. Every text is rendered once, without escaping: what is inserted is never a template
 * itself. A field that is missing is nothing. Throws what a template with a mistake throws.
 */
export function renderBody(transform: unknown, payload: string): string {
  if (transform === undefined) return payload;
  return JSON.stringify(render(transform, JSON.parse(payload)));
}

function render(template: unknown, view: unknown): unknown {
  if (typeof template === "string") return Mustache.render(template, view, {}, { escape: textOf });
  if (Array.isArray(template)) return template.map((item) => render(item, view));
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([key, item]) => [key, render(item, view)]));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** What is wrong with an endpoint's templates, and which of their fields no payload has; sentences. */
export function findTemplateProblems({ event, transform, path }: Endpoint): readonly string[] {
  const fields = fieldsOf(event);
  return textsOf(transform, [...path, "transform"]).flatMap(({ text, key }) => {
    try {
      const missing = namesIn(Mustache.parse(text)).filter((name) => fields !== null && !fields.has(name));
      return missing.map((name) => `${key}: ${event} has no field "${name}", so {{${name}}} is always empty.`);
    } catch (error) {
      return [`${key}: ${problemOf(error)}.`];
    }
  });
}

interface Text {
  readonly text: string;
  readonly key: string;
}

function textsOf(value: unknown, path: readonly (string | number)[]): readonly Text[] {
  if (typeof value === "string") return [{ text: value, key: path.join(".") }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsOf(inner, [...path, key]));
}

type Token = readonly [type: string, value: string, start: number, end: number, inner?: unknown];

/** The fields at the top of the payload that a template names; those inside of a section may belong to its value. */
function namesIn(tokens: unknown): readonly string[] {
  return (tokens as readonly Token[]).flatMap(([type, value]) => {
    if (!["name", "&", "#", "^"].includes(type) || value === ".") return [];
    return [value.split(".")[0]!];
  });
}

/** The fields that a payload may have; null for events with payloads of any kind. */
function fieldsOf(event: string): ReadonlySet<string> | null {
  const own = SAMPLE_FIELDS[event];
  if (own !== undefined) return new Set(own);
  if (!isEventName(event)) return null;
  const fields = Object.keys(payloadSchema(event, z).properties ?? {});
  return new Set(["event", "timestamp", ...fields]);
}
