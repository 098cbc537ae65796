/** Signatures of a request body: our own header and Standard Webhooks (CONTRACT §11). */
import { createHmac } from "node:crypto";
import type { EndpointAuth } from "./endpoints.ts";

/** What is signed. */
export interface SignedMessage {
  readonly id: string;
  /** Unix time of the attempt, in seconds. */
  readonly timestamp: number;
  /** Exactly as it is sent. */
  readonly body: string;
}

const STANDARD_PREFIX = "whsec_";

/** The headers that prove where a request comes from. */
export function authHeaders(auth: EndpointAuth, message: SignedMessage): Readonly<Record<string, string>> {
  if (auth.type === "none") return {};
  if (auth.type === "header") return { [auth.header]: auth.value };
  const keys = auth.secrets.map(keyOf);
  const { id, timestamp, body } = message;
  const standard = keys.map((key) => `v1,${hmac(key, `${id}.${timestamp}.${body}`, "base64")}`);
  return {
    [auth.header]: `sha256=${hmac(keys[0] ?? Buffer.alloc(0), body, "hex")}`,
    "webhook-signature": standard.join(" "),
  };
}

/** A secret of Standard Webhooks is base64; any other one is its own bytes. */
function keyOf(secret: string): Buffer {
  return secret.startsWith(STANDARD_PREFIX)
    ? Buffer.from(secret.slice(STANDARD_PREFIX.length), "base64")
    : Buffer.from(secret);
}

function hmac(key: Buffer, text: string, encoding: "hex" | "base64"): string {
  return createHmac("sha256", key).update(text).digest(encoding);
}
