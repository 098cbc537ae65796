/** Who may talk with the gateway, and what strangers get. */
import assert from "node:assert/strict";
import test from "node:test";
import { openMemoryDatabase } from "#core/home/database";
import { UserAccess } from "#gateway/access";
import type { GatewaySettings } from "#gateway/deps";
import { Pairing } from "#gateway/pairing";
import type { Recipient } from "#gateway/recipient";
import { createGatewayBench } from "../helpers/gateway-bench.ts";
import { MemoryAdapter } from "../helpers/memory-adapter.ts";

const CODE = /[A-HJ-NP-Z2-9]{8}/;

test("nobody has access by default", async (t) => {
  const { adapter, agent } = await createGatewayBench(t, { settings: {} });
  await adapter.receive("hello", { chat_type: "group" });
  assert.deepEqual(adapter.sent, []);
  const { text, problem } = await adapter.ask("hello", { chat_type: "group" });
  assert.deepEqual([text, problem?.code], [null, "HERMES_ACCESS_DENIED"]);
  assert.deepEqual(agent.sessions.list({ platform: "memory" }), []);
});

test("lists of all platforms and of one, numbers and strings, and the star", async (t) => {
  const cases: [GatewaySettings, string, boolean][] = [
    [{ allowed_users: ["7"] }, "7", true],
    [{ allowed_users: [7] }, "7", true],
    [{ allowed_users: ["7"] }, "77", false],
    [{ allowed_users: ["*"] }, "anybody", true],
    [{ allowed_users: [""] }, "", false],
    [{ platforms: { memory: { allowed_users: ["7"] } } }, "7", true],
    [{ platforms: { memory: { allowed_users: "7" } } }, "7", false],
    [{ platforms: { memory: { allowed_users: [{ id: "7" }, ["7"], null] } } }, "7", false],
    [{ platforms: { other: { allowed_users: ["*"] } } }, "7", false],
    [{ allowed_users: [], platforms: { telegram: { allowed_users: ["*"] } } }, "7", false],
  ];
  for (const [settings, user_id, isAllowed] of cases) {
    const { adapter } = await createGatewayBench(t, { settings });
    const { problem } = await adapter.ask("hello", { user_id, chat_type: "group" });
    assert.equal(problem === null, isAllowed, JSON.stringify([settings, user_id]));
  }
});

test("names of Object.prototype are not platforms", async (t) => {
  const adapter = new MemoryAdapter({ name: "constructor" });
  await createGatewayBench(t, { settings: { platforms: {} }, adapters: [adapter] });
  const { problem } = await adapter.ask("hello", { chat_type: "group" });
  assert.equal(problem?.code, "HERMES_ACCESS_DENIED");
});

test("for api_server the key is all there is; the name is the adapter's, not the message's", async (t) => {
  const server = new MemoryAdapter({ name: "api_server" });
  const liar = new MemoryAdapter({ name: "liar" });
  const { agent } = await createGatewayBench(t, { settings: {}, adapters: [server, liar] });
  const { text } = await server.ask("hello", { chat_id: "name", user_id: "" });
  assert.match(text!, /^hello/);
  assert.ok(agent.sessions.byKey("agent:main:api_server:dm:name"));
  const { problem } = await liar.ask("hello", { platform: "api_server", chat_type: "group" });
  assert.equal(problem?.code, "HERMES_ACCESS_DENIED");
});

test("changed settings apply to the next message", async (t) => {
  const bench = await createGatewayBench(t, { settings: {} });
  const ask = async () => (await bench.adapter.ask("hello", { chat_type: "group" })).problem;
  assert.notEqual(await ask(), null);
  bench.settings = { allowed_users: [1] };
  assert.equal(await ask(), null);
  bench.settings = {};
  assert.notEqual(await ask(), null);
});

test("a stranger's command does nothing; the hook sees their messages", async (t) => {
  const { adapter, agent } = await createGatewayBench(t, { settings: {} });
  const seen: string[] = [];
  agent.registry.register("command:*", (name) => void seen.push(name));
  agent.hook("pre_gateway_dispatch", () => void seen.push("hook"));
  await adapter.receive("/model evil", { chat_type: "group" });
  assert.deepEqual(seen, ["hook"]);
  assert.deepEqual(adapter.sent, []);
});

test("a stranger in a direct chat gets a code; approved, the next message is answered; revoked, no longer", async (t) => {
  const { adapter, database } = await createGatewayBench(t, { settings: {} });
  const pairing = new Pairing(database);
  await adapter.receive("hello", { user_id: "7" });
  const code = CODE.exec(adapter.sent[0]!.text)?.[0];
  assert.ok(code);
  assert.match(adapter.sent[0]!.text, new RegExp(`hermes pairing approve ${code}`));
  await adapter.receive("hello?", { user_id: "7" });
  assert.equal(adapter.sent.length, 1);
  await pairing.approve(code);
  await adapter.receive("hello", { user_id: "7" });
  assert.match(adapter.sent[1]!.text, /^hello/);
  assert.equal(pairing.revoke("memory", "7"), true);
  const { problem } = await adapter.ask("again", { user_id: "7" });
  assert.equal(problem?.code, "HERMES_ACCESS_DENIED");
});

test("a code is nowhere in state.db, and not in the log", async (t) => {
  const { adapter, database, logged } = await createGatewayBench(t, { settings: {} });
  await adapter.receive("hello", { user_id: "7" });
  const code = CODE.exec(adapter.sent[0]!.text)![0];
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  for (const { name } of tables) {
    assert.ok(!JSON.stringify(database.prepare(`SELECT * FROM "${String(name)}"`).all()).includes(code));
  }
  assert.ok(!logged.join("\n").includes(code));
});

test("a code that could not be sent is withdrawn, and the stranger may ask again", async (t) => {
  const { adapter, database } = await createGatewayBench(t, { settings: {} });
  adapter.onSend = () => {
    throw new Error("down");
  };
  await adapter.receive("hello", { user_id: "7" });
  assert.deepEqual(new Pairing(database).list().pending, []);
  adapter.onSend = () => undefined;
  await adapter.receive("hello", { user_id: "7" });
  assert.match(adapter.sent[0]!.text, CODE);
});

test("a stranger without an id, or one too many, gets no code", async (t) => {
  const { adapter } = await createGatewayBench(t, { settings: {} });
  await adapter.receive("hello", { user_id: "" });
  assert.equal(adapter.sent.length, 0);
  const strangers = Array.from({ length: 20 }, (_, index) => String(index + 1));
  await Promise.all(strangers.map((user_id) => adapter.receive("hello", { user_id, chat_id: user_id })));
  const codes = adapter.sent.filter(({ text }) => CODE.test(text));
  assert.equal(codes.length, 3);
  const others = adapter.sent.filter(({ text }) => !CODE.test(text));
  assert.ok(others.every(({ text }) => text.startsWith("I don't know you, and I can't give you a pairing code")));
  const before = adapter.sent.length;
  await Promise.all(strangers.map((user_id) => adapter.receive("hello?", { user_id, chat_id: user_id })));
  assert.equal(adapter.sent.length, before);
});

test("no clock that is set makes the gateway talk to a stranger more often", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-21T12:00:00Z") });
  let uptime = 0;
  const said: string[] = [];
  const access = new UserAccess({
    settings: () => ({}),
    pairing: new Pairing(openMemoryDatabase()),
    log: { debug() {}, info() {}, warn() {}, error() {}, child: () => assert.fail() },
    monotonic: () => uptime,
  });
  const recipient: Pick<Recipient, "sendUnrecorded"> = { sendUnrecorded: async (text) => (said.push(text), true) };
  const write = () =>
    access.rejectStranger(
      { platform: "p", chat_type: "dm", chat_id: "1", user_id: "7", thread_id: null },
      recipient as Recipient,
    );
  assert.equal(await write(), true);
  for (const hours of [-24, 24, 48]) {
    t.mock.timers.setTime(Date.parse("2026-11-21T12:00:00Z") + hours * 3_600_000);
    assert.equal(await write(), false);
  }
  uptime = 600_000;
  assert.equal(await write(), true);
  assert.equal(said.length, 2);
});

test("a state.db that cannot be read lets nobody in", async (t) => {
  const { adapter, database, logged } = await createGatewayBench(t, { settings: {} });
  database.exec("DROP TABLE paired_users; DROP TABLE pairing_codes");
  const { problem } = await adapter.ask("hello");
  assert.equal(problem?.code, "HERMES_ACCESS_DENIED");
  assert.ok(logged.some((line) => line.startsWith("paired users cannot be read")));
});
