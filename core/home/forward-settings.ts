/** The settings of the stream that events are forwarded to, below `forward` (CONTRACT §16). */
import type { z } from "zod";
import type { Zod } from "#core/zod";

/** What holds when the settings do not say. */
export const NATS_DEFAULTS = { subject: "hermes.events", stream: "HERMES_EVENTS" } as const;

/** Tokens between dots, without wildcards; `$` starts the server's own subjects. */
const SUBJECT = /^(?!\$)[^\s.*>\p{Cc}]+(?:\.[^\s.*>\p{Cc}]+)*$/u;
/** What NATS allows as the name of a stream. */
const STREAM = /^[^\s.*>/\\\p{Cc}]{1,255}$/u;

export type NatsSettings = z.infer<ReturnType<typeof natsSchema>>;

export function forwardSchema(zod: Zod) {
  return zod.strictObject({ nats: natsSchema(zod).optional().describe("A JetStream stream that gets every event") });
}

function natsSchema(zod: Zod) {
  const file = zod.string().min(1);
  const server = zod
    .string()
    .refine(isServerUrl, "expected a URL like nats://127.0.0.1:4222 or tls://nats.example.com:4222")
    .refine((url) => !hasCredentials(url), "put the credentials into user and password, or token, not into the URL");
  return zod
    .strictObject({
      servers: zod.array(server).min(1).describe("URLs of the servers; the first one that answers is used"),
      subject: zod.string().regex(SUBJECT, "expected a subject without blanks and wildcards").optional(),
      stream: zod.string().regex(STREAM, "expected a name without blanks, dots, slashes and wildcards").optional(),
      user: zod.string().min(1).optional(),
      password: zod.string().optional(),
      token: zod.string().min(1).optional(),
      tls: zod
        .union(
          [
            zod.boolean(),
            zod.strictObject({ ca: file, cert: file, key: file }).partial().describe("PEM files, by their paths"),
          ],
          { error: "expected true, or a mapping of ca, cert and key" },
        )
        .optional()
        .describe("Connect with TLS only; ca, cert and key are PEM files"),
    })
    .check((context) => {
      const problem = findConflict(context.value);
      if (problem !== undefined) context.issues.push({ code: "custom", input: context.value, ...problem });
    });
}

interface Authentication {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  readonly tls?: boolean | { readonly cert?: string | undefined; readonly key?: string | undefined } | undefined;
}

function findConflict({ user, password, token, tls }: Authentication) {
  if (user === undefined && password !== undefined) return { message: "password needs a user", path: ["password"] };
  if (user !== undefined && password === undefined) return { message: "user needs a password", path: ["user"] };
  if (token !== undefined && user !== undefined)
    return { message: "use either token, or user and password", path: ["token"] };
  if (typeof tls !== "object" || (tls.cert === undefined) === (tls.key === undefined)) return undefined;
  return { message: "cert and key need each other", path: ["tls"] };
}

function isServerUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^(?:nats|tls):$/.test(url.protocol) || url.hostname === "") return false;
  return /^\/?$/.test(url.pathname) && url.search === "" && url.hash === "";
}

function hasCredentials(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.username !== "" || url.password !== "");
}
