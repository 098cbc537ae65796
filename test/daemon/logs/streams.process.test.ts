/** Streams to real servers and files, that are there, away, slow or wrong. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import type { DestinationSettings } from "#core/home/logging-settings";
import { openLog } from "#core/home/log";
import type { PumpBounds } from "#daemon/logs/pump";
import { LogStreams } from "#daemon/logs/streams";
import { until } from "../../helpers/poll.ts";
import { createCertificate, startTcp, startUdp, type SyslogServer } from "../../helpers/syslog.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";
import { startRawReceiver } from "../../helpers/raw-receiver.ts";

const QUICK: Partial<PumpBounds> = { firstPause: 20, longestPause: 50, report: 50 };

/** A log whose lines go to the destinations; `ownLog` is the content of its file. */
async function open(t: TestContext, destinations: DestinationSettings[], bounds: Partial<PumpBounds> = {}) {
  const folder = temporaryFolder(t);
  const path = join(folder, "logs/hermes.log");
  const redact = (text: string) => text.replaceAll("hunter2", "[redacted]");
  const log = openLog({
    path,
    level: "debug",
    redact,
    onLine: (line, fields) => streams.write(line, fields),
    onError: (problem) => {
      throw new Error(problem);
    },
  });
  const streams: LogStreams = new LogStreams({
    log,
    userHome: folder,
    home: folder,
    ownFiles: [path],
    version: "1.2.3",
    bounds: { ...QUICK, ...bounds },
  });
  await streams.configure({ destinations });
  t.after(async () => {
    await streams.drain(1000);
    await log.close();
  });
  const ownLog = async () => {
    await log.close();
    return readFileSync(path, "utf8");
  };
  return { folder, log, streams, ownLog };
}

const texts = (lines: readonly string[]) => lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
const texted = ({ messages }: SyslogServer) => texts(messages.map((message) => message.slice(message.indexOf("{"))));

test("a message has the form of RFC 5424, the level as severity, and no secret", async (t) => {
  const server = await startUdp(t);
  const { log } = await open(t, [{ type: "syslog", address: `localhost:${server.port}`, facility: "local3" }]);
  log.debug("the password is hunter2");
  log.info("info");
  log.warn("warn", { user: "ü" });
  log.error("error");
  await until(() => server.messages.length === 4, "all datagrams have arrived");
  assert.deepEqual(texted(server), ["the password is [redacted]", "info", "warn", "error"]);
  const severities = server.messages.map((message) => {
    const found = /^<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([!-~]+) hermes (\d+) - - (\{.*\})$/.exec(
      message,
    );
    assert.ok(found, message);
    const { time, pid } = JSON.parse(found[5]!) as { time: string; pid: number };
    assert.deepEqual([found[2], Number(found[4])], [time, pid]);
    return Number(found[1]) - 19 * 8;
  });
  assert.deepEqual(severities, [7, 6, 4, 3]);
});

test("a datagram is cut to what servers take, between characters", async (t) => {
  const server = await startUdp(t);
  const { log } = await open(t, [{ type: "syslog", address: `127.0.0.1:${server.port}` }]);
  log.info("€".repeat(10_000));
  await until(() => server.messages.length === 1, "it has arrived");
  const [message] = server.messages as [string];
  assert.ok(Buffer.byteLength(message) > 8189 && Buffer.byteLength(message) <= 8192);
  assert.ok(message.endsWith("€"));
});

test("UDP: what a closed port refuses is sent once it is open", async (t) => {
  const first = await startUdp(t);
  await first.close();
  const { log } = await open(t, [{ type: "syslog", address: `127.0.0.1:${first.port}` }]);
  log.info("one");
  log.info("two");
  const again = await until(() => startUdp(t, first.port), "the port is open again");
  await until(() => again.messages.length >= 2, "the lines arrive");
  assert.deepEqual(texted(again).slice(0, 2), ["one", "two"]);
});

for (const protocol of ["tcp", "tls"] as const) {
  test(`${protocol}: long messages and many at once arrive whole; a server that is down loses none that waited`, async (t) => {
    const folder = temporaryFolder(t);
    const certificate = protocol === "tls" ? { tls: createCertificate(folder) } : {};
    const first = await startTcp(t, certificate);
    const { log, ownLog } = await open(t, [
      {
        type: "syslog",
        address: `localhost:${first.port}`,
        protocol,
        ...(protocol === "tls" ? { ca: join(folder, "cert.pem") } : {}),
      },
    ]);
    const long = `long ${"€\\n".repeat(50_000)}`;
    log.info(long);
    for (let index = 0; index < 2000; index++) log.info(`line ${index}`);
    await until(() => first.messages.length === 2001, "all have arrived", { seen: () => first.messages.length });
    assert.deepEqual(texted(first), [long, ...Array.from({ length: 2000 }, (_, index) => `line ${index}`)]);
    await first.close();
    // Nothing says whether a line has arrived: one on a connection that is just being closed may be lost.
    const connections = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
    await until(() => connections() === 0, "the connection is closed on both sides");
    log.info("while it is down");
    const second = await startTcp(t, { ...certificate, port: first.port });
    await until(() => second.messages.length > 0, "the line arrives");
    assert.equal(texted(second)[0], "while it is down");
    assert.doesNotMatch(await ownLog(), /dropped/);
  });
}

test("TLS: a certificate that nobody vouches for gets no line", async (t) => {
  const server = await startTcp(t, { tls: createCertificate(temporaryFolder(t)) });
  const { log, ownLog } = await open(t, [{ type: "syslog", address: `localhost:${server.port}`, protocol: "tls" }]);
  log.info("secret");
  await until(async () => /tls:\/\/localhost:\d+ cannot be sent.*self.signed/i.test(await ownLog()), "it is said");
  assert.deepEqual(server.messages, []);
});

test("a server that takes nothing holds up neither the log nor another destination", async (t) => {
  const sockets: Socket[] = [];
  // Accepts, and never reads.
  const hanging = createServer({ pauseOnConnect: true }, (socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
  await once(hanging, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    hanging.close();
  });
  const good = await startTcp(t);
  const { port } = hanging.address() as AddressInfo;
  const { log, streams } = await open(
    t,
    [
      { type: "syslog", address: `127.0.0.1:${port}`, protocol: "tcp" },
      { type: "syslog", address: `127.0.0.1:${good.port}`, protocol: "tcp" },
    ],
    { attempt: 200 },
  );
  for (let round = 0; round < 20; round++) log.info(`${round} ${"x".repeat(700_000)}`);
  await until(() => good.messages.some((message) => /cannot be sent.*no answer within/.test(message)), "it is said");
  await until(() => good.messages.length >= 21, "the good one has them all");
  await streams.drain(100);
});

test("HTTP: lines come as compressed NDJSON with the headers", async (t) => {
  const receiver = await startRawReceiver(t);
  const { log } = await open(t, [
    {
      type: "http",
      url: `${receiver.url}/ingest?a=b`,
      headers: { Authorization: "Bearer t" },
      batch: 2,
      interval_ms: 1,
    },
  ]);
  for (const text of ["one", "two", "three ü"]) log.info(text);
  await until(() => receiver.lines().length === 3, "all lines have arrived");
  assert.deepEqual(texts(receiver.lines()), ["one", "two", "three ü"]);
  assert.deepEqual(
    receiver.received.map(({ body }) => gunzipSync(body).toString().match(/\n/g)?.length),
    [2, 1],
  );
  const [{ method, path, headers }] = receiver.received as [(typeof receiver.received)[number]];
  assert.deepEqual([method, path], ["POST", "/ingest?a=b"]);
  assert.equal(headers["content-type"], "application/x-ndjson");
  assert.equal(headers["content-encoding"], "gzip");
  assert.equal(headers.authorization, "Bearer t");
  assert.equal(headers["user-agent"], "hermes-hooks/1.2.3");
});

test("HTTP: 5xx, 408, 429 and a reset are tried again; nothing about them goes there, and nothing is lost", async (t) => {
  const receiver = await startRawReceiver(t);
  const answers: (number | "reset")[] = [500, 503, 408, 429, "reset"];
  receiver.answer = (_request, response) => {
    const answer = answers.shift();
    if (answer === "reset") response.socket?.destroy();
    else response.writeHead(answer ?? 204).end();
  };
  const { log, ownLog } = await open(t, [{ type: "http", url: receiver.url, interval_ms: 0 }]);
  log.info("one");
  await until(() => receiver.received.length === 6, "the sixth attempt");
  log.info("two");
  await until(() => receiver.received.length === 7, "the next line");
  assert.deepEqual(texts(receiver.lines().slice(-2)), ["one", "two"]);
  assert.match(await ownLog(), /cannot be sent and will be tried again: the server answered 500.*[^]*are sent again/);
});

test("HTTP: another 4xx and a redirect drop the batch, which is said to the log and the other destination", async (t) => {
  const [receiver, other] = [await startRawReceiver(t), await startRawReceiver(t)];
  const answers = [401, 301];
  receiver.answer = (_request, response) => response.writeHead(answers.shift() ?? 200).end();
  const { log } = await open(t, [
    { type: "http", url: receiver.url, interval_ms: 0 },
    { type: "http", url: other.url, interval_ms: 0 },
  ]);
  for (const [index, text] of ["one", "two", "three"].entries()) {
    log.info(text);
    await until(() => receiver.received.length === index + 1, `the request for ${text}`);
  }
  await until(() => texts(other.lines()).some((text) => text.includes("answered 301")), "both drops are said");
  const said = texts(other.lines()).filter((text) => text.startsWith("log lines"));
  assert.deepEqual(said, [
    `log lines for ${receiver.url} were dropped: 1 (the server answered 401)`,
    `log lines for ${receiver.url} were dropped: 1 (the server answered 301: redirects are not followed)`,
  ]);
  assert.deepEqual(texts(receiver.lines()), ["one", "two", "three"]);
});

test("a changed configuration closes what is gone, keeps what has stayed, and opens what is new", async (t) => {
  const kept = await startRawReceiver(t);
  const staying = { type: "http", url: kept.url, interval_ms: 0 } as const;
  const { log, streams, folder } = await open(t, [staying, { type: "file", path: "a.log", keep: 1 }]);
  log.info("one");
  await until(() => kept.lines().length === 1, "one has arrived");
  await streams.configure({
    destinations: [staying, { type: "file", path: "a.log", keep: 2 }, { type: "file", path: "~/b.log" }],
  });
  log.info("two");
  await streams.drain(5000);
  log.info("three");
  const read = (name: string) => texts(readFileSync(join(folder, name), "utf8").trim().split("\n"));
  assert.deepEqual([read("a.log"), read("b.log"), texts(kept.lines())], [["one", "two"], ["two"], ["one", "two"]]);
});

test("disabled is none, and hermes's own log is no destination", async (t) => {
  const { log, streams, folder, ownLog } = await open(t, [{ type: "file", path: "logs/hermes.log" }]);
  await streams.configure({ enabled: false, destinations: [{ type: "file", path: "never.log" }] });
  log.info("one");
  const written = await ownLog();
  assert.deepEqual(texts(written.trim().split("\n")), [
    `log lines are not streamed to ${join(folder, "logs/hermes.log")}: hermes writes this file itself`,
    "one",
  ]);
  assert.throws(() => readFileSync(join(folder, "never.log")), { code: "ENOENT" });
});
