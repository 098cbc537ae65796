/**
 * How a request proves where it comes from: one row for each sender. All compare in constant time and work on the bytes
 * of the body as they came. What they accept is what the senders' own libraries accept: signatures in lower-case hex or
 * padded base64, and times at most five minutes away.
 */
import { createHmac } from "node:crypto";
import { digestOf, isSame } from "#core/bearer";
import type { Verification } from "#core/home/inbound-settings";
import { hubSignature, isHubSignature } from "#core/hub-signature";

/** A request as far as a scheme needs it. */
export interface SignedRequest {
  /** The only value of a header; undefined without one, and for a repeated header. */
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
}

/** The proof of a verified request: its signature, or null where there is none that belongs to this request only. */
export interface Proof {
  readonly signature: string | null;
}

export interface Scheme {
  /** True when the headers alone prove it, so that a stranger's body is not even read. */
  readonly headersOnly: boolean;
  /** The headers, best first, with the id that a repeated request has again. */
  readonly idHeaders: readonly string[];
  /** The headers without which no request is the sender's. */
  readonly proofHeaders: readonly string[];
  /** True when the time of the request is part of what is signed. */
  readonly isTimed: boolean;
  /** Null for a request that is not the sender's. `now` is Unix time in seconds. Never throws. */
  readonly verify: (request: SignedRequest, secret: string, now: number) => Proof | null;
  /** The headers that prove a body, as the sender would set them; for tests of a hook. */
  readonly sign: (body: Buffer, secret: string, message: { readonly id: string; readonly now: number }) => SentHeaders;
}

type SentHeaders = Readonly<Record<string, string>>;

/** How far a signed time may be away, in both directions. */
const REPLAY_WINDOW_S = 300;

export const SCHEMES: Readonly<Record<Verification, Scheme>> = {
  // https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
  github: {
    headersOnly: false,
    idHeaders: ["x-github-delivery"],
    proofHeaders: ["x-hub-signature-256"],
    isTimed: false,
    verify({ header, body }, secret) {
      const sent = header("x-hub-signature-256");
      return sent === undefined ? null : proofIf(isHubSignature(sent, body, secret), sent);
    },
    sign: (body, secret, { id }) => ({
      "x-hub-signature-256": hubSignature(body, secret),
      "x-github-delivery": id,
    }),
  },
  // https://docs.gitlab.com/user/project/integrations/webhooks: a token, not a signature.
  gitlab: {
    headersOnly: true,
    idHeaders: ["idempotency-key", "x-gitlab-event-uuid"],
    proofHeaders: ["x-gitlab-token"],
    isTimed: false,
    verify({ header }, secret) {
      const sent = header("x-gitlab-token");
      return sent !== undefined && isEqual(sent, secret) ? { signature: null } : null;
    },
    sign: (_body, secret, { id }) => ({ "x-gitlab-token": secret, "x-gitlab-event-uuid": id }),
  },
  // https://docs.stripe.com/webhooks#verify-manually
  stripe: {
    headersOnly: false,
    idHeaders: [],
    proofHeaders: ["stripe-signature"],
    isTimed: true,
    verify({ header, body }, secret, now) {
      const items = (header("stripe-signature") ?? "").split(",").map((item) => item.trim().split("="));
      const valuesOf = (key: string) => items.flatMap(([name, value = ""]) => (name === key ? [value] : []));
      const [time, ...others] = valuesOf("t");
      if (others.length > 0 || !isRecent(time, now)) return null;
      const expected = stripeSignature(body, secret, time);
      return proofIf(valuesOf("v1").filter((value) => isEqual(value, expected)).length > 0, expected);
    },
    sign: (body, secret, { now }) => ({
      "stripe-signature": `t=${now},v1=${stripeSignature(body, secret, String(now))}`,
    }),
  },
  // https://docs.slack.dev/authentication/verifying-requests-from-slack
  slack: {
    headersOnly: false,
    idHeaders: [],
    proofHeaders: ["x-slack-request-timestamp", "x-slack-signature"],
    isTimed: true,
    verify({ header, body }, secret, now) {
      const [time, sent] = [header("x-slack-request-timestamp"), header("x-slack-signature")];
      if (sent === undefined || !isRecent(time, now)) return null;
      return proofIf(isEqual(sent, slackSignature(body, secret, time)), sent);
    },
    sign: (body, secret, { now }) => ({
      "x-slack-request-timestamp": String(now),
      "x-slack-signature": slackSignature(body, secret, String(now)),
    }),
  },
  // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
  "standard-webhooks": {
    headersOnly: false,
    idHeaders: ["webhook-id"],
    proofHeaders: ["webhook-id", "webhook-timestamp", "webhook-signature"],
    isTimed: true,
    verify({ header, body }, secret, now) {
      const [id, time, sent] = [header("webhook-id"), header("webhook-timestamp"), header("webhook-signature")];
      if (id === undefined || sent === undefined || !isRecent(time, now)) return null;
      const expected = standardKeys(secret).map((key) => standardSignature(body, key, { id, time }));
      const signatures = sent.split(" ");
      const found = expected.find((one) => signatures.filter((each) => isEqual(each, one)).length > 0);
      return found === undefined ? null : { signature: found };
    },
    sign(body, secret, { id, now }) {
      const [key = Buffer.alloc(0)] = standardKeys(secret);
      return {
        "webhook-id": id,
        "webhook-timestamp": String(now),
        "webhook-signature": standardSignature(body, key, { id, time: String(now) }),
      };
    },
  },
  bearer: {
    headersOnly: true,
    idHeaders: [],
    proofHeaders: ["authorization"],
    isTimed: false,
    verify({ header }, secret) {
      const [, token] = /^Bearer +(\S.*?) *$/i.exec(header("authorization") ?? "") ?? [];
      return token !== undefined && isEqual(token, secret) ? { signature: null } : null;
    },
    sign: (_body, secret) => ({ authorization: `Bearer ${secret}` }),
  },
  none: {
    headersOnly: true,
    idHeaders: [],
    proofHeaders: [],
    isTimed: false,
    verify: () => ({ signature: null }),
    sign: () => ({}),
  },
};

/** Why a request is not verified, for the person who set up the hook. Says nothing of what was sent. */
export function whyUnverified(verification: Verification, { header }: Pick<SignedRequest, "header">): string {
  const { proofHeaders, isTimed } = SCHEMES[verification];
  const absent = proofHeaders.filter((name) => header(name) === undefined);
  const orLate = isTimed ? `, or its time is over ${REPLAY_WINDOW_S / 60} minutes away` : "";
  const why =
    absent.length > 0 ? `it needs one header ${absent.join(" and one ")}` : `it does not match the secret${orLate}`;
  return `not verified (${verification}): ${why}`;
}

function proofIf(isProven: boolean, signature: string): Proof | null {
  return isProven ? { signature } : null;
}

/** Compares without telling how far two texts are equal. */
function isEqual(one: string, other: string): boolean {
  return isSame(digestOf(one), digestOf(other));
}

function isRecent(time: string | undefined, now: number): time is string {
  return time !== undefined && /^\d{1,12}$/.test(time) && Math.abs(now - Number(time)) <= REPLAY_WINDOW_S;
}

function stripeSignature(body: Buffer, secret: string, time: string): string {
  return createHmac("sha256", secret).update(`${time}.`).update(body).digest("hex");
}

function slackSignature(body: Buffer, secret: string, time: string): string {
  return `v0=${createHmac("sha256", secret).update(`v0:${time}:`).update(body).digest("hex")}`;
}

function standardSignature(body: Buffer, key: Buffer, { id, time }: { id: string; time: string }): string {
  return `v1,${createHmac("sha256", key).update(`${id}.${time}.`).update(body).digest("base64")}`;
}

const STANDARD_PREFIX = "whsec_";

/** The keys that a secret may stand for: base64 behind the prefix; without it, some senders take it as it is. */
function standardKeys(secret: string): readonly Buffer[] {
  if (secret.startsWith(STANDARD_PREFIX)) return [Buffer.from(secret.slice(STANDARD_PREFIX.length), "base64")];
  const decoded = Buffer.from(secret, "base64");
  const isBase64 = decoded.length > 0 && decoded.toString("base64") === secret;
  return isBase64 ? [decoded, Buffer.from(secret)] : [Buffer.from(secret)];
}
