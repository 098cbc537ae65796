/** The forwarder with a stream, against a real nats-server. One forwarder a process. */
import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import { is_active, replace_stream, start_if_dashboard_available, stop, type StreamParts } from "#core/forwarder";
import { NatsSender } from "#core/forward/nats/sender";
import type { NatsSettings } from "#core/home/forward-settings";
import { createRedactor } from "#core/home/redact";
import { HookRegistry } from "#core/registry";
import { startCuttable } from "../../../helpers/cuttable.ts";
import { announce, emptyHome, FakeDashboard } from "../../../helpers/fake-dashboard.ts";
import { NatsServer } from "../../../helpers/nats.ts";
import { createCertificate } from "../../../helpers/syslog.ts";
import { temporaryFolder } from "../../../helpers/temporary-folder.ts";
import { until } from "../../../helpers/poll.ts";

const server = await NatsServer.start({ after });

let tests = 0;

/** A forwarder with a stream of this test's own. */
function fixture(t: TestContext, settings: Partial<NatsSettings> = {}) {
  const name = `T${++tests}`;
  const nats = { ...settings, servers: settings.servers ?? [server.url], subject: `t${tests}.events`, stream: name };
  const home = emptyHome(t);
  const registry = new HookRegistry();
  const logged: string[] = [];
  const redact = createRedactor({ SOME_TOKEN: "envsecretvalue1" });
  t.after(stop);
  const open = (changes: Partial<NatsSettings>) => (parts: StreamParts) =>
    new NatsSender({ settings: { ...nats, ...changes }, userHome: home, redact }, parts);
  const start = () =>
    start_if_dashboard_available(registry, {
      src: "cli",
      home,
      env: {},
      redact,
      log: (sentence) => logged.push(sentence),
      stream: open({}),
    });
  const emit = (count: number, from = 0) => {
    for (let n = from; n < from + count; n++) registry.emit_sync("agent:step", { n });
  };
  return { ...nats, home, registry, logged, start, emit, nats: open };
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

async function storedNumbers(stream: string): Promise<number[]> {
  return (await server.messages(stream)).map(({ body }) => (body as { context: { n: number } }).context.n);
}

async function untilStored(stream: string, count: number): Promise<void> {
  const { streams } = await server.manager();
  const stored = async () => (await streams.info(stream).catch(() => undefined))?.state.messages ?? 0;
  await until(async () => (await stored()) >= count, `${count} events are stored`);
}

test("an event is stored once, as a frame, under a subject that says who sent it", async (t) => {
  const { registry, start, stream, logged } = fixture(t);
  start();
  registry.emit_sync("tui:tool.start", { n: 1, text: "envsecretvalue1" });
  registry.emit_sync("agent:envsecretvalue1", {});
  await stop();
  const found = await server.messages(stream);
  const frames = [
    { event_type: "tui:tool.start", context: { n: 1, text: "[redacted]" }, src: "cli" },
    { event_type: "agent:[redacted]", context: {}, src: "cli" },
  ];
  assert.deepEqual(
    found.map(({ subject, body }) => [subject, body]),
    [
      ["t1.events.cli.tui.tool.start", frames[0]],
      ["t1.events.cli.agent.[redacted]", frames[1]],
    ],
  );
  assert.equal(new Set(found.map(({ id }) => id)).size, 2);
  assert.deepEqual(logged, []);
  const { config } = await (await server.manager()).streams.info(stream);
  assert.deepEqual(
    [config.subjects, config.storage, config.discard, config.duplicate_window],
    [["t1.events.>"], "file", "old", 120e9],
  );
});

test("killed with -9 and started again: what the queue could hold is stored once and in order", async (t) => {
  const { start, stream, emit, logged } = fixture(t);
  const forwarder = start()!;
  emit(200);
  await untilStored(stream, 200);
  emit(300, 200);
  const killed = server.kill();
  emit(500, 500);
  await killed;
  await until(() => logged.length > 0, "the failure is logged");
  await server.restart();
  await untilStored(stream, 1000);
  await until(() => forwarder.stream!.waiting === 0, "everything is confirmed");
  assert.deepEqual(await storedNumbers(stream), numbers(1000));
  assert.equal(forwarder.stream!.dropped, 0);
  assert.match(logged[0]!, /^NATS at nats:.* does not get this process's events: /);
});

test("events whose confirmation is lost are sent again, and stored once", async (t) => {
  const cuttable = await startCuttable(t, server.port);
  const { start, stream, emit } = fixture(t, { servers: [cuttable.url.replace("http", "nats")] });
  const forwarder = start()!;
  emit(1);
  await untilStored(stream, 1);
  cuttable.silence();
  emit(300, 1);
  await untilStored(stream, 301);
  assert.ok(forwarder.stream!.waiting >= 300);
  cuttable.cut();
  cuttable.mend();
  emit(1, 301);
  await until(() => forwarder.stream!.waiting === 0, "everything is confirmed");
  assert.deepEqual(await storedNumbers(stream), numbers(302));
});

test("a server that hangs does not delay the dashboard; what the queue has no room for is dropped and counted", async (t) => {
  const { home, start, stream, emit } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  const forwarder = start()!;
  emit(1);
  await untilStored(stream, 1);
  await until(() => forwarder.stream!.waiting === 0 && dashboard.taken.length === 1, "the first one has arrived");
  server.suspend();
  t.after(() => server.resume());
  for (let from = 1; from < 2001; from += 500) {
    emit(500, from);
    await until(() => dashboard.taken.length === from + 500, "the dashboard has got them");
  }
  assert.ok(forwarder.stream!.waiting <= 1024);
  const { dropped } = forwarder.stream!;
  assert.ok(dropped > 0);
  server.resume();
  await until(() => forwarder.stream!.waiting === 0, "the rest is confirmed");
  const stored = await storedNumbers(stream);
  assert.deepEqual([stored.length, new Set(stored).size, stored.at(-1)], [2001 - dropped, 2001 - dropped, 2000]);
  assert.deepEqual([forwarder.dropped, dashboard.numbers()], [0, numbers(2001)]);
  assert.match(String(dashboard.requests[0]!.request.headers["x-hermes-message-ids"]), /^[\w-]{36} 0$/);
});

test("a dashboard that hangs does not delay the stream", async (t) => {
  const { home, start, stream, emit } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  dashboard.ingest = () => false;
  announce(home, dashboard);
  const forwarder = start()!;
  for (let from = 0; from < 2000; from += 500) {
    emit(500, from);
    await untilStored(stream, from + 500);
  }
  assert.deepEqual([forwarder.stream!.dropped, await storedNumbers(stream)], [0, numbers(2000)]);
  assert.equal(forwarder.dropped, 2000 - forwarder.waiting);
});

test("without JetStream one sentence says so, events are dropped and counted, and sending begins when it is there", async (t) => {
  const { start, stream, emit, logged } = fixture(t);
  t.after(async () => {
    await server.kill();
    await server.restart();
  });
  await server.kill();
  await server.restart({ jetstream: false });
  const forwarder = start()!;
  emit(1030);
  await until(() => logged.length > 0, "it is logged");
  assert.match(logged[0]!, /JetStream is not enabled there \(nats-server needs -js\)/);
  assert.deepEqual(forwarder.stream, { waiting: 1024, dropped: 6 });
  await server.kill();
  await server.restart();
  await until(() => forwarder.stream!.waiting === 0, "everything is confirmed");
  assert.deepEqual(await storedNumbers(stream), numbers(1024, 6));
});

test("a full stream that refuses events: one sentence, and they arrive when there is room", async (t) => {
  const { start, stream, subject, emit, logged } = fixture(t);
  const { streams } = await server.manager();
  const created = await streams.add({ name: stream, subjects: [`${subject}.>`], max_bytes: 1200, discard: "new" });
  const forwarder = start()!;
  emit(20);
  await until(() => logged.length > 0, "it is logged");
  assert.match(logged[0]!, /JetStream answered: maximum bytes exceeded/);
  const before = await storedNumbers(stream);
  assert.ok(before.length > 0 && before.length < 20);
  assert.deepEqual(forwarder.stream, { waiting: 20 - before.length, dropped: 0 });
  await streams.update(stream, { max_bytes: 100_000 });
  await until(() => forwarder.stream!.waiting === 0, "everything is confirmed");
  assert.deepEqual(await storedNumbers(stream), numbers(20));
  const { config } = await streams.info(stream);
  assert.deepEqual({ ...config, max_bytes: 1200 }, created.config);
});

test("a stream that does not take our subjects is named, and left as it is", async (t) => {
  const { start, stream, emit, logged } = fixture(t);
  const { streams } = await server.manager();
  const created = await streams.add({ name: stream, subjects: ["other.>", "t.*"] });
  const forwarder = start()!;
  emit(3);
  await until(() => logged.length > 0, "it is logged");
  assert.match(
    logged[0]!,
    new RegExp(`the stream ${stream} takes other\\.>, t\\.\\*, not t\\d+\\.events\\.>; add it there`),
  );
  assert.deepEqual(forwarder.stream, { waiting: 3, dropped: 0 });
  assert.deepEqual((await streams.info(stream)).config, created.config);
});

test("a wrong password is told without showing it; the rights to send are enough for an existing stream", async (t) => {
  const name = "hermes";
  const { start, stream, subject, emit, logged, nats } = fixture(t, { user: name, password: "wrong-password" });
  const user = (rights: string) =>
    `authorization { users: [ { user: admin, password: admin }, { user: ${name}, password: right-password, permissions: { ${rights} } } ] }`;
  t.after(async () => {
    await server.kill();
    await server.restart({});
  });
  await server.kill();
  await server.restart({ config: user(`publish: { deny: "$JS.API.STREAM.CREATE.*" }`) });
  const forwarder = start()!;
  emit(5);
  await until(() => logged.length > 0, "it is logged");
  assert.match(logged[0]!, /it refuses the user, password or token of forward\.nats$/);
  assert.doesNotMatch(logged[0]!, /wrong-password/);
  await replace_stream(nats({ password: "right-password" }));
  emit(1, 5);
  await until(() => logged.length > 1, "the missing stream is logged");
  assert.match(logged.at(-1)!, /there is no stream T\d+, and it does not let this user create one/);

  await server.kill();
  await server.restart({ config: user(`publish: "${subject}.>", subscribe: "_INBOX.>"`) });
  await replace_stream(nats({ password: "right-password" }));
  emit(3, 6);
  await until(() => logged.length > 2, "the missing stream is logged");
  assert.match(logged.at(-1)!, /no stream takes t\d+\.events\.>; is there a stream T\d+\?/);
  const { streams } = await server.manager({ user: "admin", pass: "admin" });
  await streams.add({ name: stream, subjects: [`${subject}.>`] });
  await until(() => forwarder.stream!.waiting === 0, "everything is confirmed");
  assert.equal((await streams.info(stream)).state.messages, 3);
});

test("with TLS, only a server with a trusted certificate gets events", async (t) => {
  const { key, cert } = createCertificate(temporaryFolder(t));
  const { start, stream, emit, logged, nats } = fixture(t, { tls: true });
  t.after(async () => {
    await server.kill();
    await server.restart();
  });
  start();
  emit(1);
  await until(() => logged.length > 0, "it is logged");
  assert.match(logged[0]!, /server does not support 'tls'/);
  await server.kill();
  await server.restart({ config: `tls { cert_file: "${cert}", key_file: "${key}" }` });
  const servers = [`tls://localhost:${server.port}`];
  await replace_stream(nats({ servers, tls: undefined }));
  emit(1, 1);
  await until(() => logged.length > 1, "it is logged");
  assert.match(logged.at(-1)!, /self-signed certificate/);
  await replace_stream(nats({ servers, tls: { ca: cert } }));
  emit(1, 2);
  await stop();
  const manager = await server.manager({ servers, tls: { caFile: cert } });
  assert.equal((await manager.streams.info(stream)).state.messages, 1);
});

test("at the end what can be sent is sent, and a server that hangs is not waited for", async (t) => {
  const { start, emit, logged } = fixture(t);
  start();
  server.suspend();
  t.after(() => server.resume());
  emit(7);
  await stop();
  assert.match(logged.join("\n"), /7 of them had not arrived when it ended/);
  assert.equal(is_active(), false);
});

test("HERMES_HOOK_FORWARDER switches the stream off, too", (t) => {
  const { registry } = fixture(t);
  const open = () => assert.fail("the stream was opened");
  const env = { HERMES_HOOK_FORWARDER: "off" };
  assert.equal(start_if_dashboard_available(registry, { env, stream: open }), null);
  assert.equal(registry.listens("agent:step"), false);
});
