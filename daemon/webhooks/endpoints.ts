/** The endpoints of the configuration, each with the settings that it shares with the others filled in. */
import {
  DEFAULT_SIGNATURE_HEADER,
  isWebhookEvent,
  namesOf,
  RETRY_DEFAULTS,
  type AuthSettings,
  type EndpointSettings,
  type RetrySettings,
  type WebhookSettings,
} from "#core/home/webhook-settings";
import type { KeyPath } from "#core/yaml-document";

export type Retry = Required<{ [Key in keyof RetrySettings]: NonNullable<RetrySettings[Key]> }>;

export interface Endpoint {
  readonly name: string;
  /** A task event, a hook event, a gateway event, or `namespace:*`. */
  readonly event: string;
  readonly url: string;
  readonly method: "POST" | "PUT" | "PATCH";
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined when the payload itself is sent. */
  readonly transform: unknown;
  readonly auth: EndpointAuth;
  readonly authType: AuthSettings["type"] | "none";
  readonly retry: Retry;
  readonly timeoutSeconds: number;
  /** As written; null for every tool. */
  readonly matcher: string | null;
  readonly allowPrivate: boolean;
  /** Where it is in the configuration. */
  readonly path: KeyPath;
}

/** How a request proves where it comes from. */
export type EndpointAuth =
  | { readonly type: "none" }
  | { readonly type: "header"; readonly header: string; readonly value: string }
  /** The newest secret first. */
  | { readonly type: "hmac"; readonly header: string; readonly secrets: readonly string[] };

const DEFAULT_TIMEOUT_SECONDS = 15;

/** The endpoints that events are sent to, in order of the configuration; none when webhooks are switched off. */
export function endpointsOf(settings: WebhookSettings | undefined): readonly Endpoint[] {
  return settings === undefined || settings.enabled === false ? [] : configuredEndpoints(settings);
}

/** Every endpoint, also when webhooks are switched off. */
export function configuredEndpoints(settings: WebhookSettings): readonly Endpoint[] {
  return Object.entries(settings.endpoints ?? {})
    .filter(([event]) => isWebhookEvent(event))
    .flatMap(([event, found]) =>
      namesOf<EndpointSettings>(event, found).map(({ name, settings: own, path }) => ({
        name,
        event,
        url: own.url,
        method: own.method ?? "POST",
        headers: own.headers ?? {},
        transform: own.transform,
        ...describeAuth(own.auth ?? settings.auth ?? "none"),
        retry: { ...RETRY_DEFAULTS, ...withoutUndefined(own.retry ?? settings.retry ?? {}) },
        timeoutSeconds: own.timeout ?? DEFAULT_TIMEOUT_SECONDS,
        matcher: own.matcher ?? null,
        allowPrivate: own.allow_private ?? false,
        path: ["webhooks", "endpoints", ...path],
      })),
    );
}

function withoutUndefined(settings: RetrySettings): Partial<Retry> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function describeAuth(auth: AuthSettings | "none"): Pick<Endpoint, "auth" | "authType"> {
  return { auth: authOf(auth), authType: auth === "none" ? "none" : auth.type };
}

function authOf(auth: AuthSettings | "none"): EndpointAuth {
  if (auth === "none") return { type: "none" };
  const { type, token = "", username, password = "", header, secret, secrets } = auth;
  switch (type) {
    case "bearer":
      return { type: "header", header: "Authorization", value: `Bearer ${token}` };
    case "basic": {
      const pair = username === undefined ? token : `${username}:${password}`;
      return { type: "header", header: "Authorization", value: `Basic ${Buffer.from(pair).toString("base64")}` };
    }
    case "header":
      return { type: "header", header: header ?? "Authorization", value: token };
    case "hmac":
      return { type: "hmac", header: header ?? DEFAULT_SIGNATURE_HEADER, secrets: secrets ?? [secret ?? ""] };
  }
}
