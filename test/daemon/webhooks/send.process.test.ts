/** Requests to a real server that behaves as badly as servers do. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo, LookupFunction } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { ClaimedDelivery } from "#core/ports/deliveries";
import { configuredEndpoints, type Endpoint } from "#daemon/webhooks/endpoints";
import { WebhookSender, type SenderOptions } from "#daemon/webhooks/send";
import { startReceiver } from "../../helpers/receiver.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const DELIVERY: ClaimedDelivery = {
  id: "abcdefgh12345678",
  event: "agent:end",
  endpoint: "e",
  payload: '{"event":"agent:end","message":"hi"}',
  attempts: 0,
  created_at: "2026-11-29T12:00:00.000Z",
};

function open(t: TestContext, options: Partial<SenderOptions> = {}) {
  const sender = new WebhookSender({
    version: "1.2.3",
    redact: (text) => text.replaceAll("hunter2", "[redacted]"),
    ...options,
  });
  t.after(() => sender[Symbol.asyncDispose]());
  return (url: string, settings: Record<string, unknown> = {}, signal = new AbortController().signal) => {
    const [endpoint] = configuredEndpoints({ endpoints: { "agent:end": { url, ...settings } } });
    return sender.send(endpoint as Endpoint, DELIVERY, signal);
  };
}

test("a request has the body, the documented headers, and those of its endpoint", async (t) => {
  const receiver = await startReceiver(t);
  const send = open(t);
  const settings = { method: "PATCH", headers: { "X-Team": "core" }, auth: { type: "basic", token: "u:p" } };
  assert.deepEqual(await send(`${receiver.url}/in?a=b`, settings), { status: 200, error: null, retryAfterMs: 0 });
  const [{ path, method, headers, body }] = receiver.received as [(typeof receiver.received)[number]];
  assert.deepEqual([path, method, body], ["/in?a=b", "PATCH", DELIVERY.payload]);
  const { "webhook-timestamp": timestamp, ...others } = headers;
  assert.ok(Math.abs(Number(timestamp) - Date.now() / 1000) < 60);
  for (const [name, value] of Object.entries({
    "content-type": "application/json",
    "user-agent": "hermes-hooks/1.2.3",
    "x-hermes-event": "agent:end",
    "x-hermes-delivery": DELIVERY.id,
    "webhook-id": DELIVERY.id,
    "x-team": "core",
    authorization: "Basic dTpw",
  })) {
    assert.equal(others[name], value, name);
  }
});

test("an answer that is no success is told with its beginning and without secrets", async (t) => {
  const receiver = await startReceiver(t);
  const send = open(t);
  receiver.answer = (_request, response) =>
    response.writeHead(400).end(`no\u001B[2J  such\nchannel hunter2 ${"x".repeat(999)}`);
  const { status, error } = await send(receiver.url);
  assert.equal(status, 400);
  assert.match(error!, /^answered 400: no such channel \[redacted\] x+…?/);
  assert.ok(error!.length < 250);
});

test("a receiver that is busy says when to come back", async (t) => {
  const receiver = await startReceiver(t);
  const send = open(t);
  receiver.answer = (_request, response) => response.writeHead(429, { "retry-after": "120" }).end();
  assert.deepEqual(await send(receiver.url), { status: 429, error: "answered 429", retryAfterMs: 120_000 });
});

test("a redirect is not followed", async (t) => {
  const [receiver, other] = [await startReceiver(t), await startReceiver(t)];
  receiver.answer = (_request, response) => response.writeHead(301, { location: `${other.url}/elsewhere` }).end();
  const { status, error } = await open(t)(receiver.url);
  assert.deepEqual([status, error], [301, `answered 301: redirects (to ${new URL(other.url).host}) are not followed`]);
  assert.equal(other.received.length, 0);
});

test("a receiver that never answers, or resets, or is not there, is a problem without a status", async (t) => {
  const receiver = await startReceiver(t);
  const send = open(t);
  receiver.answer = () => undefined;
  assert.deepEqual(await send(receiver.url, { timeout: 1 }), {
    status: null,
    error: "no answer within 1 s",
    retryAfterMs: 0,
  });
  receiver.answer = (_request, response) => response.socket?.destroy();
  assert.match((await send(receiver.url)).error!, /other side closed|ECONNRESET/);
  await receiver.close();
  assert.match((await send(receiver.url)).error!, /ECONNREFUSED/);
});

test("the status decides: a body that drips, or has no end, changes nothing", async (t) => {
  const receiver = await startReceiver(t);
  const send = open(t);
  receiver.answer = (_request, response) => {
    const timer = setInterval(() => response.write("."), 100);
    response.once("close", () => clearInterval(timer));
    response.writeHead(200).write(".");
  };
  assert.equal((await send(receiver.url, { timeout: 30 })).error, null);
  let written = 0;
  receiver.answer = (_request, response) => {
    const piece = Buffer.alloc(64 * 1024);
    const more = () => {
      while (!response.destroyed && written < 1e9 && response.write(piece)) written += piece.length;
    };
    response.on("drain", more).writeHead(200);
    more();
  };
  assert.equal((await send(receiver.url)).error, null);
  assert.ok(written < 64 * 1024 * 1024, `${written} bytes of 1 GB were taken`);
});

test("a certificate that nobody vouches for is refused", async (t) => {
  const folder = temporaryFolder(t);
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-days", "1"];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, ...subject], {
    stdio: "ignore",
  });
  let requests = 0;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => {
    requests++;
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { status, error } = await open(t)(`https://localhost:${(server.address() as AddressInfo).port}`);
  assert.equal(status, null);
  assert.match(error!, /self.signed/i);
  assert.equal(requests, 0);
});

/** Resolves every name to one address. */
const resolvingTo =
  (address: string): LookupFunction =>
  (_host, options, callback) => {
    if (options.all === true) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };

test("a name that leads to an address that is not public is refused, unless the endpoint allows it", async (t) => {
  const receiver = await startReceiver(t);
  const { port } = new URL(receiver.url);
  for (const address of ["127.0.0.1", "169.254.169.254", "10.1.2.3", "192.168.0.1", "100.100.100.200"]) {
    const send = open(t, { lookup: resolvingTo(address) });
    const { status, error } = await send(`http://hooks.example:${port}`);
    assert.equal(status, null);
    assert.ok(error!.includes(`hooks.example is at ${address}, which is not a public address`), error!);
    assert.match(error!, /"allow_private: true" would allow it/);
  }
  const send = open(t);
  assert.match((await send("http://169.254.169.254/latest/meta-data")).error!, /not a public address/);
  assert.match((await send(`http://0.0.0.0:${port}`)).error!, /not a public address/);
  assert.equal(receiver.received.length, 0);
  for (const host of ["localhost", "127.0.0.1"]) assert.equal((await send(`http://${host}:${port}`)).error, null, host);
  assert.equal((await send(`http://0.0.0.0:${port}`, { allow_private: true })).error, null);
});

test("a template with a mistake is a problem of its delivery alone", async (t) => {
  const receiver = await startReceiver(t);
  const send = open(t);
  const { status, error } = await send(receiver.url, { transform: { text: "{{message" } });
  assert.deepEqual([status, receiver.received.length], [null, 0]);
  assert.match(error!, /Unclosed tag/);
  await send(receiver.url, { transform: { text: "said: {{message}}" } });
  assert.deepEqual(JSON.parse(receiver.received[0]!.body), { text: "said: hi" });
});
