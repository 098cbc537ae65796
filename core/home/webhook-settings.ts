/** The settings of outgoing webhooks, below `webhooks` (CONTRACT §11, seed 000 "Webhooks"). */
import type { z } from "zod";
import { EVENT_NAMES, isEventName } from "#core/events";
import { findPatternProblem } from "#core/gateway-event-names";
import type { Zod } from "#core/zod";

/** Events that only webhooks have. */
const TASK_EVENTS = ["task_started", "task_completed", "task_failed", "tool_called"] as const;

export const RETRY_DEFAULTS = {
  enabled: true,
  max_attempts: 3,
  backoff: "exponential",
  initial_delay: 1000,
} as const;

export const DEFAULT_SIGNATURE_HEADER = "X-Hermes-Signature";
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export type WebhookSettings = z.infer<ReturnType<typeof webhooksSchema>>;
export type EndpointSettings = z.infer<ReturnType<typeof endpointSchema>>;
export type AuthSettings = z.infer<ReturnType<typeof authSchema>>;
export type RetrySettings = z.infer<ReturnType<typeof retrySchema>>;

/** True for an event that an endpoint can listen to: a task event, a hook event, a gateway event, or `namespace:*`. */
export function isWebhookEvent(name: string): boolean {
  return (TASK_EVENTS as readonly string[]).includes(name) || isEventName(name) || findPatternProblem(name) === null;
}

/** The endpoints of an event with their names and their places below the event. */
export function namesOf<Found extends { readonly name?: string | undefined }>(
  event: string,
  found: Found | readonly Found[],
): readonly { readonly name: string; readonly settings: Found; readonly path: readonly (string | number)[] }[] {
  const isList = (value: Found | readonly Found[]): value is readonly Found[] => Array.isArray(value);
  const list = isList(found) ? found : [found];
  return list.map((settings, index) => ({
    name: settings.name ?? (index === 0 ? event : `${event}-${index + 1}`),
    settings,
    path: isList(found) ? [event, index] : [event],
  }));
}

export function webhooksSchema(zod: Zod) {
  const endpoint = endpointSchema(zod);
  return zod
    .strictObject({
      enabled: zod.boolean().describe("Whether events are sent; true by default"),
      endpoints: zod
        .record(zod.string(), zod.union([endpoint, zod.array(endpoint)]))
        .check((context) => {
          const { value: input } = context;
          const keys = Object.keys(input).filter((name) => !isWebhookEvent(name));
          const known = { candidates: [...TASK_EVENTS, ...EVENT_NAMES] };
          if (keys.length > 0) context.issues.push({ code: "unrecognized_keys", keys, input, ...known });
          const names = Object.entries(input).flatMap(([event, found]) => namesOf(event, found));
          const twice = names.find(({ name }, index) => names.findIndex((other) => other.name === name) < index);
          if (twice !== undefined) {
            const message = `two endpoints are named "${twice.name}"; give one of them another "name"`;
            context.issues.push({ code: "custom", message, input, path: [...twice.path] });
          }
        })
        .describe("Where each event is sent: event → endpoint, or a list of endpoints"),
      auth: authSchema(zod),
      retry: retrySchema(zod),
    })
    .partial();
}

function endpointSchema(zod: Zod) {
  const text = zod.string().min(1);
  return zod.strictObject({
    url: zod.url({ protocol: /^https?$/, error: "expected an http or https URL" }),
    method: zod.enum(["POST", "PUT", "PATCH"]).optional().describe("POST by default"),
    headers: zod.record(zod.string().regex(HEADER_NAME, "expected the name of a header"), zod.string()).optional(),
    transform: zod.unknown().optional().describe("The body to send instead of the payload; its texts are templates"),
    name: text.optional().describe("By default the event, with -2, -3 for further ones"),
    auth: zod.union([zod.literal("none"), authSchema(zod)]).optional(),
    retry: retrySchema(zod).optional(),
    timeout: zod.number().min(1).max(60).optional().describe("Seconds; 15 by default"),
    matcher: zod.string().optional().describe("For events of tools: which tools"),
    allow_private: zod.boolean().optional().describe("Whether the URL may lead to an address of a private network"),
  });
}

function authSchema(zod: Zod) {
  const text = zod.string().min(1);
  return zod
    .strictObject({
      type: zod.enum(["bearer", "basic", "header", "hmac"]),
      token: text.optional(),
      username: text.optional(),
      password: zod.string().optional(),
      header: zod.string().regex(HEADER_NAME, "expected the name of a header").optional(),
      secret: text.optional(),
      secrets: zod.array(text).min(1).optional().describe("The newest first"),
    })
    .check((context) => {
      const missing = findMissing(context.value);
      if (missing !== undefined) {
        context.issues.push({ code: "custom", message: missing, input: context.value, path: [] });
      }
    });
}

function findMissing(auth: { readonly type: string } & Readonly<Record<string, unknown>>): string | undefined {
  const has = (key: string) => auth[key] !== undefined;
  switch (auth.type) {
    case "bearer":
      return has("token") ? undefined : "type bearer needs a token";
    case "basic":
      if (has("username") && has("password")) return undefined;
      if (typeof auth["token"] === "string" && auth["token"].includes(":")) return undefined;
      return "type basic needs username and password, or a token user:password";
    case "header":
      return has("header") && has("token") ? undefined : "type header needs a header and a token";
    default:
      return has("secret") || has("secrets") ? undefined : "type hmac needs a secret or secrets";
  }
}

function retrySchema(zod: Zod) {
  return zod
    .strictObject({
      enabled: zod.boolean(),
      max_attempts: zod.int().min(1).max(100),
      backoff: zod.enum(["fixed", "linear", "exponential"]),
      initial_delay: zod.int().min(0).max(3_600_000).describe("Milliseconds before the second attempt"),
    })
    .partial();
}
