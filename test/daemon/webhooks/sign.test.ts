/** Signatures, checked by the library of Standard Webhooks and by OpenSSL. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import test from "node:test";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { authHeaders, type SignedMessage } from "#daemon/webhooks/sign";

const message = (body: string): SignedMessage => ({ id: "msg1", timestamp: Math.floor(Date.now() / 1000), body });
const hmac = (...secrets: string[]) => ({ type: "hmac", header: "X-Hermes-Signature", secrets }) as const;

const verify = (webhook: Webhook, { id, timestamp, body }: SignedMessage, headers: Readonly<Record<string, string>>) =>
  webhook.verify(body, {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": headers["webhook-signature"] ?? "",
  });

test("the library of Standard Webhooks accepts our signatures, and no changed body", () => {
  fc.assert(
    fc.property(fc.json(), fc.boolean(), (body, isStandard) => {
      const key = randomBytes(24).toString("base64");
      const secret = isStandard ? `whsec_${key}` : key;
      const sent = message(body);
      const headers = authHeaders(hmac(secret), sent);
      const webhook = isStandard ? new Webhook(secret) : new Webhook(secret, { format: "raw" });
      assert.deepEqual(verify(webhook, sent, headers), JSON.parse(body));
      assert.throws(() => verify(webhook, { ...sent, body: `${body} ` }, headers), /No matching signature/);
    }),
    { numRuns: 50 },
  );
});

test("OpenSSL computes the same signature of the body", () => {
  for (const body of ["{}", '{"text":"naïve 🦊"}', "x".repeat(100_000)]) {
    const output = execFileSync("openssl", ["dgst", "-sha256", "-hmac", "s3cret key"], { input: body }).toString();
    const { "X-Hermes-Signature": signature } = authHeaders(hmac("s3cret key", "old"), message(body));
    assert.equal(signature, `sha256=${output.trim().split(" ").at(-1)}`);
  }
});

test("while a secret is replaced, receivers with the new one and with the old one accept", () => {
  const secrets = [randomBytes(24), randomBytes(24)].map((key) => `whsec_${key.toString("base64")}`);
  const sent = message('{"a":1}');
  const headers = authHeaders(hmac(...secrets), sent);
  for (const secret of secrets) assert.deepEqual(verify(new Webhook(secret), sent, headers), { a: 1 });
});

test("without a secret there is the configured header, or none", () => {
  const header = { type: "header", header: "Authorization", value: "Bearer t" } as const;
  assert.deepEqual(authHeaders(header, message("")), { Authorization: "Bearer t" });
  assert.deepEqual(authHeaders({ type: "none" }, message("")), {});
});
