import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { TestDashboard } from "../helpers/dashboard.ts";

const LIMITS = { headersMs: 300, requestMs: 600 };

const head = (dashboard: TestDashboard, length: number, token = dashboard.dashboard.token) =>
  [
    "POST /api/hooks/ingest HTTP/1.1",
    "Host: localhost",
    `Authorization: Bearer ${token}`,
    "Content-Type: application/json",
    `Content-Length: ${length}`,
    "\r\n",
  ].join("\r\n");

/** All that the server sends until it closes the connection, be it by a reset. */
async function untilClosed(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await new Promise((closed) => socket.once("close", closed));
  return text;
}

/** Writes one byte after the other for as long as anybody listens. */
function drip(socket: Socket, byte: string): void {
  const timer = setInterval(() => socket.writable && socket.write(byte), 20);
  socket.once("close", () => clearInterval(timer));
}

test("a connection that says nothing is closed", async (t) => {
  const dashboard = await TestDashboard.start(t, { limits: LIMITS });
  await untilClosed(await dashboard.connect(t));
});

test("headers that trickle in are given up", async (t) => {
  const dashboard = await TestDashboard.start(t, { limits: LIMITS });
  const socket = await dashboard.connect(t);
  socket.write("POST /api/hooks/ingest HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
  drip(socket, "x");
  assert.match(await untilClosed(socket), /^HTTP\/1.1 408 /);
});

test("a body that arrives too slowly is abandoned, even with the right token, and none of it is used", async (t) => {
  const dashboard = await TestDashboard.start(t, { limits: LIMITS });
  const socket = await dashboard.connect(t);
  socket.write(`${head(dashboard, 100_000)}{"event_type":"a:b","context":{"x":"`);
  drip(socket, "x");
  assert.match(await untilClosed(socket), /^HTTP\/1.1 408 /);
  assert.deepEqual(await dashboard.history(), []);
});

test("whoever is refused cannot hold the connection with a body that trickles in", async (t) => {
  const dashboard = await TestDashboard.start(t, { limits: LIMITS });
  const socket = await dashboard.connect(t);
  socket.write(head(dashboard, 100_000, "wrong"));
  drip(socket, "x");
  assert.match(await untilClosed(socket), /^HTTP\/1.1 401 /);
});

test("a body that never ends is given up without being kept", async (t) => {
  const dashboard = await TestDashboard.start(t, { limits: { requestMs: 60_000 } });
  const socket = await dashboard.connect(t);
  const chunked = head(dashboard, 0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
  socket.write(chunked);
  const chunk = `100000\r\n${"x".repeat(0x100000)}\r\n`;
  const pump = () => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on("drain", pump);
  pump();
  // Whoever goes on sending may be reset before it has read the answer.
  assert.match(await untilClosed(socket), /^(HTTP\/1.1 413 |$)/);
  assert.equal((await dashboard.get("/api/hooks/health")).status, 200);
});

test("a sender that goes away in the midst of its body leaves nothing behind", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const socket = await dashboard.connect(t);
  socket.write(`${head(dashboard, 100_000)}{"event_type":"a:b"`);
  socket.destroy();
  assert.equal((await dashboard.ingest({ event_type: "a:c" })).status, 200);
  assert.equal((await dashboard.history()).length, 1);
});

test("2,000 open connections do not keep health from answering, nor a sender, nor a stream", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const sockets: Socket[] = [];
  for (let count = 0; count < 2000; count += 100) {
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => dashboard.connect(t)))));
  }
  // A third of them in the midst of a request.
  for (const socket of sockets.slice(0, 700)) socket.write("GET /api/hooks/health HTTP/1.1\r\nHost: loc");
  assert.equal((await dashboard.get("/api/hooks/health")).status, 200);
  const stream = await dashboard.stream(t);
  assert.equal((await dashboard.ingest({ event_type: "a:b" })).status, 200);
  assert.equal((await stream.next()).event_type, "a:b");
});

test("more connections than allowed close those that have been idle longest, never a stream", async (t) => {
  const dashboard = await TestDashboard.start(t, { limits: { connections: 20 } });
  const stream = await dashboard.stream(t);
  const idle: Socket[] = [];
  for (let count = 0; count < 19; count++) idle.push(await dashboard.connect(t));
  const closed = Promise.all(idle.slice(0, 5).map((socket) => once(socket.resume(), "close")));
  for (let count = 0; count < 5; count++) idle.push(await dashboard.connect(t));
  await closed;
  assert.equal((await dashboard.get("/api/hooks/health")).status, 200);
  assert.equal((await dashboard.ingest({ event_type: "a:b" })).status, 200);
  assert.equal((await stream.next()).event_type, "a:b");
  assert.equal(idle.at(-1)!.destroyed, false);
});

test("a stop waits for what has begun, but not for ever", async (t) => {
  const dashboard = await TestDashboard.start(t, { limits: { drainMs: 200 } });
  const socket = await dashboard.connect(t);
  socket.write(`${head(dashboard, 100_000)}{"event_type":"a:b"`);
  await dashboard.get("/api/hooks/health");
  await dashboard.dashboard.stop();
  await assert.rejects(dashboard.get("/api/hooks/health"));
});

const LARGE = `GET / HTTP/1.1\r\nHost: localhost\r\n${"X-A: b\r\n".repeat(20_000)}\r\n`;

test("what is no HTTP is answered and cut off", async (t) => {
  const dashboard = await TestDashboard.start(t);
  for (const text of ["\x16\x03\x01\x02\x00\x01\x00\x01", "GET / HTTP/9.9\r\n\r\n", LARGE]) {
    const socket = await dashboard.connect(t);
    socket.write(text);
    assert.match(await untilClosed(socket), /^(HTTP\/1.1 4\d\d |$)/);
  }
  assert.equal((await dashboard.get("/api/hooks/health")).status, 200);
});
