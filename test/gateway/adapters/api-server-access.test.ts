/** Who may ask `api_server`, and what it bears: keys, web pages, slow and many clients, a taken port, a stop. */
import test from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { createApiServer } from "#gateway/adapters/api-server/adapter";
import { end, noteLog, show, TestInbox, type Received } from "../../helpers/inbox.ts";
import { readUntil, services, startBench } from "./api-server-bench.ts";
import { until } from "../../helpers/poll.ts";

const KEY = "the-key-of-this-test";
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

test("with a key every route wants it, and 401 comes before the body is read", async (t) => {
  const { url, ask, raw, port, inbox, lines } = await startBench(t, { key: KEY });
  const wrong = ["", "Bearer", "Bearer ", `Basic ${KEY}`, `Bearer ${KEY}x`, `Bearer ${KEY.slice(1)}`, KEY];
  for (const path of ["/health", "/v1/models", "/v1/chat/completions", "/nothing"]) {
    for (const authorization of wrong) {
      const response = await fetch(`${url}${path}`, { headers: authorization === "" ? {} : { authorization } });
      assert.equal(response.status, 401, `${path} with ${authorization}`);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
      const { error } = (await response.json()) as { error: { code: string; type: string; message: string } };
      assert.deepEqual([error.code, error.type], ["invalid_api_key", "invalid_request_error"]);
      assert.ok(!error.message.includes(KEY));
    }
  }
  assert.equal((await fetch(`${url}/health`, { headers: bearer(KEY) })).status, 200);
  assert.equal((await fetch(`${url}/health`, { headers: { authorization: `bearer ${KEY}` } })).status, 200);
  assert.equal((await ask({}, bearer(KEY))).status, 200);
  assert.equal(inbox.received.length, 1);
  // Of this body nothing ever comes.
  const socket = await raw(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x:${port}\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n`,
  );
  assert.match(await readUntil(socket, "\r\n\r\n"), /^HTTP\/1\.1 401 /);
  assert.deepEqual(lines, [`warn api_server: a request had a wrong key {"address":"127.0.0.1"}`]);
});

test("more than 20 wrong keys a second get 429; the right one never does", async (t) => {
  const { url, lines } = await startBench(t, { key: KEY });
  const statuses = await Promise.all(
    Array.from({ length: 60 }, async () => (await fetch(`${url}/health`, { headers: bearer("wrong") })).status),
  );
  assert.ok(statuses.includes(401));
  assert.ok(statuses.includes(429));
  const refused = await fetch(`${url}/health`, { headers: bearer("wrong") });
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "1"]);
  assert.equal(((await refused.json()) as { error: { code: string } }).error.code, "rate_limit_exceeded");
  assert.equal((await fetch(`${url}/health`, { headers: bearer(KEY) })).status, 200);
  assert.equal(lines.length, 1);
});

test("a key may hold any letters, in whichever bytes a client sends them", async (t) => {
  const { raw, port } = await startBench(t, { key: "clé" });
  for (const [encoding, status] of [
    ["utf8", 200],
    ["latin1", 200],
    ["ascii", 401],
  ] as const) {
    const socket = await raw("");
    const key = encoding === "ascii" ? "cle" : "clé";
    socket.write(
      Buffer.from(`GET /health HTTP/1.1\r\nhost: x:${port}\r\nauthorization: Bearer ${key}\r\n\r\n`, encoding),
    );
    assert.match(await readUntil(socket, "\r\n\r\n"), new RegExp(`^HTTP/1\\.1 ${status} `), encoding);
  }
});

test("with a key neither the host's name nor the origin matters", async (t) => {
  const { ask } = await startBench(t, { key: KEY });
  assert.equal((await ask({}, { ...bearer(KEY), origin: "http://page.example" })).status, 200);
});

/** `fetch` does not let a program choose the host. */
async function statusFor(port: number, headers: Readonly<Record<string, string>>): Promise<number> {
  const sent = request({ port, host: "127.0.0.1", path: "/health", headers, agent: false });
  sent.end();
  const [response] = (await once(sent, "response")) as [{ statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

test("without a key only this machine's names are answered, and no web page", async (t) => {
  const { port, raw } = await startBench(t);
  const own = [`127.0.0.1:${port}`, "localhost", "LOCALHOST:1", "127.9.9.9", `[::1]:${port}`, "[::1]"];
  for (const host of own) assert.equal(await statusFor(port, { host }), 200, host);
  const foreign = [
    "page.example",
    `page.example:${port}`,
    "127.0.0.1.page.example",
    "localhost.page.example",
    "x.localhost",
    "10.0.0.1",
  ];
  for (const host of foreign) assert.equal(await statusFor(port, { host }), 403, host);
  for (const origin of ["http://page.example", "null", "http://localhost:3000", `https://localhost:${port}`]) {
    assert.equal(await statusFor(port, { host: `localhost:${port}`, origin }), 403, origin);
  }
  const nameless = await raw("GET /health HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n");
  assert.match(await readUntil(nameless), /^HTTP\/1\.1 403 /);
  const same = { host: `localhost:${port}`, origin: `http://localhost:${port}` };
  assert.equal(await statusFor(port, same), 200);
});

test("without a key it does not start where other machines reach it", async () => {
  const { log } = noteLog();
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "some-name.example", "x.localhost", ""]) {
    for (const key of [undefined, ""]) {
      const server = createApiServer({ ...services(), host, port: 0, key, log });
      await assert.rejects(server.start(new TestInbox()), {
        code: "HERMES_ADAPTER_CONFIG",
        message: /gateway\.platforms\.api_server\.key/,
      });
      assert.equal(server.address(), null);
    }
  }
});

test("with a key it starts on every address, and says where it listens", async (t) => {
  const { server, port } = await startBench(t, { key: KEY, host: "0.0.0.0" });
  assert.deepEqual(server.address(), { host: "0.0.0.0", port, url: `http://0.0.0.0:${port}` });
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`, { headers: bearer(KEY) })).status, 200);
});

test("a port that is taken is named with the setting to change; later it can start", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const server = createApiServer({ ...services(), port, log: noteLog().log });
  t.after(() => server.stop());
  await assert.rejects(server.start(new TestInbox()), {
    code: "HERMES_ADAPTER_START",
    message: `The platform api_server cannot start: port ${port} on 127.0.0.1 is in use. Set gateway.platforms.api_server.port to another one.`,
  });
  other.close();
  await once(other, "close");
  await server.start(new TestInbox());
  assert.equal(server.address()?.port, port);
});

test("an address that is not this machine's is named with its setting", async () => {
  const server = createApiServer({
    ...services(),
    host: "192.0.2.1",
    port: 0,
    key: KEY,
    log: noteLog().log,
  });
  await assert.rejects(server.start(new TestInbox()), { message: /192\.0\.2\.1 is not an address.*api_server\.host/ });
});

test("what is no HTTP request, or a slow one, is answered in the same shape and hung up on", async (t) => {
  const { raw, port } = await startBench(t, { limits: { headersTimeoutMs: 300, requestTimeoutMs: 600 } });
  const nonsense = await readUntil(await raw("hello there\r\n\r\n"));
  assert.match(nonsense, /^HTTP\/1\.1 400 Bad Request\r\n[^]*"type":"invalid_request_error"/);
  const overflow = await readUntil(await raw(`GET /health HTTP/1.1\r\nx: ${"x".repeat(20_000)}\r\n\r\n`));
  assert.match(overflow, /^HTTP\/1\.1 431 [^]*"code":"headers_too_large"/);
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n`;
  const slowHeaders = await readUntil(await raw(head));
  assert.match(slowHeaders, /^HTTP\/1\.1 408 [^]*"code":"request_timeout"/);
  const slowBody = await raw(`${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`);
  assert.match(await readUntil(slowBody), /^HTTP\/1\.1 408 /);
});

test("more requests than are borne get 429 at once, and a place is free again when an answer ends", async (t) => {
  const inbox = new TestInbox(() => undefined);
  const { ask, url } = await startBench(t, { limits: { inFlight: 3 } }, inbox);
  const answers = [ask(), ask(), ask({ stream: true })];
  const received = await inbox.count(3);
  const refused = await ask();
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "1"]);
  assert.equal(((await refused.json()) as { error: { code: string } }).error.code, "rate_limit_exceeded");
  assert.equal((await fetch(`${url}/health`)).status, 200);
  for (const { reply } of received) end(reply, "late");
  for (const answer of answers) assert.equal((await answer).status, 200);
  // Requests that are refused or break off give their place back too.
  for (let count = 0; count < 5; count++) assert.equal((await ask({ messages: [] })).status, 400);
  inbox.answering = ({ reply }) => end(reply, "done");
  assert.equal((await ask()).status, 200);
});

test("clients that break off in the middle of their body leave no place taken", async (t) => {
  const { raw, port, ask } = await startBench(t, { limits: { inFlight: 2 } });
  for (let count = 0; count < 4; count++) {
    const socket = await raw(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
    );
    socket.resetAndDestroy();
  }
  const status = () => ask().then((answer) => (answer.status === 429 ? undefined : answer.status));
  assert.equal(await until(status, "there is a place again"), 200);
});

test("a client that goes away aborts the turn; one that stays does not", async (t) => {
  const inbox = new TestInbox(() => undefined);
  const { url } = await startBench(t, {}, inbox);
  for (const stream of [false, true]) {
    const leaving = new AbortController();
    const asked = fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ stream, messages: [{ role: "user", content: "wait" }] }),
      signal: leaving.signal,
    });
    const { reply } = (await inbox.count(stream ? 3 : 1)).at(-1)!;
    assert.ok(reply?.signal?.aborted === false);
    const aborted = once(reply.signal, "abort");
    leaving.abort();
    await assert.rejects(asked);
    await aborted;
    // The router still gives its answer, to nobody.
    show(reply, { type: "text", delta: "too late" });
    end(reply, "too late");

    inbox.answering = (received: Received) => end(received.reply, "here");
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ stream, messages: [{ role: "user", content: "stay" }] }),
    });
    assert.match(await response.text(), /here/);
    assert.equal(inbox.received.at(-1)?.reply?.signal?.aborted, false);
    inbox.answering = () => undefined;
  }
});

test("a stop lets running answers end, refuses new ones and leaves no connection", async (t) => {
  const inbox = new TestInbox(() => undefined);
  const { ask, raw, server, url, port } = await startBench(t, {}, inbox);
  const whole = ask();
  const streamed = ask({ stream: true });
  const received = await inbox.count(2);
  const idle = await raw(`GET /health HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
  await readUntil(idle, '{"status":"ok"}');
  const half = await raw("POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n");
  const halfEnded = once(half, "close");

  const stopped = server.stop();
  assert.equal(server.address(), null);
  await assert.rejects(fetch(`${url}/health`));
  show(received[1]!.reply, { type: "text", delta: "the end " });
  end(received[0]!.reply, "the whole");
  end(received[1]!.reply, "the end of it");
  assert.match(await (await whole).text(), /the whole/);
  assert.match(await (await streamed).text(), /\[DONE\]/);
  await stopped;
  await halfEnded;
  await server.stop();
});

test("it starts again after a stop, and starting twice is one start", async (t) => {
  const { server, inbox } = await startBench(t);
  const before = server.address();
  await server.start(inbox);
  assert.deepEqual(server.address(), before);
  await server.stop();
  await server.start(inbox);
  assert.equal((await fetch(`${server.address()!.url}/health`)).status, 200);
});
