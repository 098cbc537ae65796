/** The oracles are the senders' own libraries, openssl, and the examples that senders publish. */
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import test from "node:test";
import { sign as octokitSign, verify as octokitVerify } from "@octokit/webhooks-methods";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { VERIFICATIONS, type Verification } from "#core/home/inbound-settings";
import { SCHEMES, whyUnverified } from "#daemon/inbound/schemes";

const NOW = 1_800_000_000;
const SECRET = "It's a Secret to Everybody";

function check(
  scheme: Verification,
  headers: Readonly<Record<string, string | undefined>>,
  body: string | Buffer,
  { secret = SECRET, now = NOW } = {},
): boolean {
  const request = { header: (name: string) => headers[name], body: Buffer.from(body) };
  return SCHEMES[scheme].verify(request, secret, now) !== null;
}

test("github: the example of its documentation", () => {
  const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  assert.ok(check("github", { "x-hub-signature-256": signature }, "Hello, World!"));
  assert.ok(!check("github", { "x-hub-signature-256": signature }, "Hello, World?"));
});

test("github: agrees with its own library about any body and signature", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 1, unit: "binary" }),
      fc.constantFrom(0, 1, 2, 3, 4),
      async (body, change) => {
        const right = await octokitSign(SECRET, body);
        const sent = [right, right.toUpperCase(), right.slice(7), `${right}0`, right.replace(/.$/, "x")][change]!;
        const accepted = await octokitVerify(SECRET, body, sent);
        assert.equal(accepted, change === 0);
        assert.equal(check("github", { "x-hub-signature-256": sent }, body), accepted);
      },
    ),
  );
});

test("slack: the example of its documentation, within five minutes of it", () => {
  const secret = "8f742231b10e8888abcd99yyyzzz85a5";
  const body =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
  const headers = {
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
  };
  for (const [away, accepted] of [
    [0, true],
    [300, true],
    [-300, true],
    [301, false],
    [-301, false],
  ] as const) {
    assert.equal(check("slack", headers, body, { secret, now: 1_531_420_618 + away }), accepted, String(away));
  }
  const upper = { ...headers, "x-slack-signature": headers["x-slack-signature"].toUpperCase() };
  assert.ok(!check("slack", upper, body, { secret, now: 1_531_420_618 }));
});

test("stripe: the scheme of its documentation, with several signatures while secrets change", () => {
  const body = '{"id":"evt_test_webhook","object":"event"}';
  const v1 = createHmac("sha256", "whsec_test_secret").update(`${NOW}.${body}`).digest("hex");
  const secret = "whsec_test_secret";
  const accepts = (header: string, now = NOW) => check("stripe", { "stripe-signature": header }, body, { secret, now });
  assert.ok(accepts(`t=${NOW},v1=${v1}`));
  assert.ok(accepts(`t=${NOW},v1=${"0".repeat(64)},v1=${v1},v0=${"1".repeat(64)}`));
  assert.ok(accepts(`t=${NOW}, v1=${v1}`));
  for (const wrong of ["", `v1=${v1}`, `t=${NOW}`, `t=${NOW},v0=${v1}`, `t=${NOW},v1=${v1.toUpperCase()}`]) {
    assert.ok(!accepts(wrong), wrong);
  }
  // Only one time is signed; a second one could be the recent one.
  assert.ok(!accepts(`t=${NOW},t=${NOW + 1000},v1=${v1}`, NOW + 1000));
  assert.ok(!accepts(`t=${NOW},v1=${v1}`, NOW + 301), "replayed");
  assert.ok(!accepts(`t=${NOW},v1=${v1}`, NOW - 301), "from the future");
});

test("standard-webhooks: agrees with its own library about keys, bodies and times", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      fc.string({ minLength: 1 }).map((text) => JSON.stringify(text)),
      fc.integer({ min: -400, max: 400 }),
      fc.boolean(),
      (key, body, away, prefixed) => {
        const secret = (prefixed ? "whsec_" : "") + Buffer.from(key).toString("base64");
        const now = Math.floor(Date.now() / 1000);
        const time = new Date((now + away) * 1000);
        const headers = {
          "webhook-id": "msg_1",
          "webhook-timestamp": String(now + away),
          "webhook-signature": new Webhook(secret).sign("msg_1", time, body),
        };
        // The library reads the clock itself: a second may pass at the edge.
        if (Math.abs(Math.abs(away) - 300) > 2) {
          let accepted = true;
          try {
            new Webhook(secret).verify(body, headers);
          } catch {
            accepted = false;
          }
          assert.equal(check("standard-webhooks", headers, body, { secret, now }), accepted);
        }
        assert.ok(!check("standard-webhooks", { ...headers, "webhook-id": "msg_2" }, body, { secret, now }));
      },
    ),
  );
});

test("standard-webhooks: a secret that is not base64 is its own bytes, and any of several signatures will do", () => {
  const secret = "not base64!";
  const sent = new Webhook(secret, { format: "raw" }).sign("m", new Date(NOW * 1000), "{}");
  const headers = {
    "webhook-id": "m",
    "webhook-timestamp": String(NOW),
    "webhook-signature": `v1,AAAA v1a,BBBB ${sent}`,
  };
  assert.ok(check("standard-webhooks", headers, "{}", { secret }));
  assert.ok(!check("standard-webhooks", { ...headers, "webhook-signature": "v1,AAAA" }, "{}", { secret }));
});

test("bearer and gitlab take the token and nothing near it", () => {
  assert.ok(check("bearer", { authorization: "Bearer s3cret" }, "", { secret: "s3cret" }));
  assert.ok(check("bearer", { authorization: "bearer s3cret" }, "", { secret: "s3cret" }));
  for (const wrong of [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Bearer S3CRET",
    "Bearer s3cret2",
    "Basic s3cret",
    "s3cret",
  ]) {
    assert.ok(!check("bearer", { authorization: wrong }, "", { secret: "s3cret" }), wrong);
  }
  assert.ok(check("gitlab", { "x-gitlab-token": "s3cret" }, "", { secret: "s3cret" }));
  for (const wrong of [undefined, "", "S3CRET", "s3cret "]) {
    assert.ok(!check("gitlab", { "x-gitlab-token": wrong }, "", { secret: "s3cret" }), wrong);
  }
});

test("every scheme accepts what it signs, binary bodies too, and nothing of another secret or without headers", () => {
  for (const scheme of VERIFICATIONS) {
    const body = randomBytes(4096);
    const headers = SCHEMES[scheme].sign(body, SECRET, { id: "1", now: NOW });
    assert.ok(check(scheme, headers, body), scheme);
    if (scheme === "none") continue;
    assert.ok(!check(scheme, headers, body, { secret: "another" }), scheme);
    for (const name of Object.keys(headers)) {
      if (SCHEMES[scheme].idHeaders.includes(name) && scheme !== "standard-webhooks") continue;
      assert.ok(!check(scheme, { ...headers, [name]: undefined }, body), `${scheme} without ${name}`);
    }
    if (!SCHEMES[scheme].headersOnly)
      assert.ok(!check(scheme, headers, Buffer.concat([body, Buffer.from("x")])), scheme);
  }
});

test("openssl makes the same signature", async () => {
  const { execFileSync } = await import("node:child_process");
  const printed = execFileSync("openssl", ["dgst", "-sha256", "-hmac", SECRET], { input: "body", encoding: "utf8" });
  const hex = printed.trim().split(" ").at(-1);
  assert.ok(check("github", { "x-hub-signature-256": `sha256=${hex}` }, "body"));
});

test("a refusal names the header that is missing, or what did not match, and nothing that was sent", () => {
  for (const verification of VERIFICATIONS.filter((each) => each !== "none")) {
    const { proofHeaders, isTimed } = SCHEMES[verification];
    const nothing = whyUnverified(verification, { header: () => undefined });
    for (const name of proofHeaders)
      assert.ok(nothing.includes(`one header ${name}`) || nothing.includes(`one ${name}`));
    const wrong = whyUnverified(verification, { header: () => "what was sent" });
    assert.match(wrong, /it does not match the secret/);
    assert.equal(wrong.includes("5 minutes"), isTimed);
    assert.ok(!wrong.includes("what was sent"));
  }
});
