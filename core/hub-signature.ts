/** The signature of a webhook over the bytes of its body, which GitHub and Meta send as `X-Hub-Signature-256`. */
import { createHmac } from "node:crypto";
import { digestOf, isSame } from "./bearer.ts";

/** The header's value: `sha256=` and the HMAC in lower-case hex. */
export function hubSignature(body: Buffer, secret: string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** True when `sent` is the body's signature, exactly as the sender writes it. Takes as long for every wrong one. */
export function isHubSignature(sent: string, body: Buffer, secret: string): boolean {
  return isSame(digestOf(sent), digestOf(hubSignature(body, secret)));
}
