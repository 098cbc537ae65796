/** Clients that send the whole conversation with every request: one session each, which stores only what is new. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { openDatabase } from "#core/home/database";
import type { ChatMessage } from "#core/messages";
import { createGatewayBench, record, type GatewayBench } from "../helpers/gateway-bench.ts";
import type { Replied } from "../helpers/memory-adapter.ts";
import { startModelServer } from "../helpers/model-server.ts";

type Ask = Parameters<GatewayBench["adapter"]["ask"]>[1];

/** A client that keeps its conversation and sends all of it. */
class Client {
  readonly messages: ChatMessage[];
  readonly #bench: GatewayBench;
  readonly #options: Ask;

  constructor(bench: GatewayBench, options: Ask = {}, messages: readonly ChatMessage[] = []) {
    this.#bench = bench;
    this.#options = options;
    this.messages = [...messages];
  }

  async say(text: string): Promise<Replied & { id: string }> {
    const replied = await this.#bench.adapter.ask(text, { ...this.#options, history: [...this.messages] });
    this.messages.push({ role: "user", content: text });
    if (replied.text !== null) this.messages.push({ role: "assistant", content: replied.text });
    return { ...replied, id: sessionOf(replied) };
  }
}

function sessionOf({ frames }: Replied): string {
  return frames[0]!.session_id;
}

function textsOf({ agent }: GatewayBench, id: string): unknown[] {
  return agent.sessions.history(id).map(({ content }) => content);
}

test("a conversation is one session that starts once and stores each message once", async (t) => {
  const bench = await createGatewayBench(t);
  record(bench, ["on_session_start", "on_session_finalize"], ["session:start", "session:end"]);
  const client = new Client(bench);
  const ids = [(await client.say("one")).id, (await client.say("two")).id, (await client.say("three")).id];
  assert.equal(new Set(ids).size, 1);
  assert.deepEqual(bench.agent.sessions.history(ids[0]!), client.messages);
  assert.equal(bench.agent.sessions.get(ids[0]!)?.key, "agent:main:memory:dm:1");
  assert.deepEqual(bench.order, [`session:start ${ids[0]}`, `on_session_start ${ids[0]}`]);
  await bench.gateway.drain(1000);
  assert.equal(bench.order.at(-1), `on_session_finalize ${ids[0]}`);
});

test("history that no session has is stored once", async (t) => {
  const bench = await createGatewayBench(t);
  const client = new Client(bench, {}, [
    { role: "user", content: "before" },
    { role: "assistant", content: "yes?" },
  ]);
  const first = await client.say("now");
  const second = await client.say("then");
  assert.equal(first.id, second.id);
  assert.deepEqual(textsOf(bench, first.id), ["before", "yes?", "now", "now", "then", "then"]);
});

test("it goes on after a restart", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const first = await createGatewayBench(t, { database: openDatabase(join(folder, "state.db")) });
  const before = new Client(first);
  const { id } = await before.say("one");
  await first.gateway.drain(1000);
  first.database.close();
  const second = await createGatewayBench(t, { database: openDatabase(join(folder, "state.db")) });
  const after = new Client(second, {}, before.messages);
  assert.equal((await after.say("two")).id, id);
  assert.equal(second.agent.sessions.history(id).length, 4);
});

test("what hooks and tools make of messages does not split a conversation", async (t) => {
  const bench = await createGatewayBench(t);
  bench.tool.release();
  bench.agent.hook("pre_gateway_dispatch", ({ event }) => ({
    action: "rewrite",
    text: (event as { text: string }).text.replace("please", "now"),
  }));
  const client = new Client(bench);
  const first = await client.say("@wait {}\nplease");
  client.messages.pop();
  client.messages.push({ role: "assistant", content: "shortened by the client" });
  const second = await client.say("thanks, please");
  assert.equal(first.id, second.id);
  assert.deepEqual(
    bench.agent.sessions.history(first.id).map(({ role }) => role),
    ["user", "assistant", "tool", "assistant", "user", "assistant"],
  );
  assert.equal(second.text, "thanks, now");
});

test("another chat, another history or another opening is another session, and each goes on", async (t) => {
  const bench = await createGatewayBench(t);
  const clients = [new Client(bench), new Client(bench, { chat_id: "2" }), new Client(bench)];
  const [first, other] = [await clients[0]!.say("hello"), await clients[1]!.say("hello")];
  await clients[0]!.say("one");
  const later = await clients[2]!.say("hello");
  assert.equal(new Set([first.id, other.id, later.id]).size, 3);
  assert.equal((await clients[2]!.say("two")).id, later.id);
  assert.equal((await clients[0]!.say("two")).id, first.id);
  assert.deepEqual(textsOf(bench, later.id).slice(2), ["two", "two"]);
  assert.deepEqual(textsOf(bench, first.id).slice(2), ["one", "one", "two", "two"]);
});

test("a repeated message replaces the last turn; an edited one starts a session of its own", async (t) => {
  const bench = await createGatewayBench(t);
  const client = new Client(bench);
  const { id } = await client.say("one");
  await client.say("two");
  const again = new Client(bench, {}, client.messages.slice(0, 2));
  assert.equal((await again.say("two")).id, id);
  assert.equal(bench.agent.sessions.history(id).length, 4);
  const edited = await new Client(bench, {}, client.messages.slice(0, 2)).say("deux");
  assert.notEqual(edited.id, id);
  assert.deepEqual(textsOf(bench, edited.id).slice(2), ["deux", "deux"]);
  assert.deepEqual(textsOf(bench, id).slice(2), ["two", "two"]);
});

test("a turn without an answer does not split a conversation", async (t) => {
  const bench = await createGatewayBench(t);
  const client = new Client(bench);
  const { id } = await client.say("one");
  const gone = new AbortController();
  const waiting = bench.adapter.ask("@wait {}", { history: client.messages, signal: gone.signal });
  await bench.tool.running(1);
  gone.abort();
  assert.equal((await waiting).problem?.code, "HERMES_INTERRUPTED");
  assert.equal((await client.say("something else")).id, id);
  assert.deepEqual(textsOf(bench, id).slice(2), ["something else", "something else"]);
});

test("equal requests at the same time are answered side by side", async (t) => {
  const bench = await createGatewayBench(t);
  const asked = [bench.adapter.ask("@wait {}", { history: [] }), bench.adapter.ask("@wait {}", { history: [] })];
  await bench.tool.running(2);
  bench.tool.release();
  const replies = await Promise.all(asked);
  for (const { text } of replies) assert.match(text!, /^wait returned/);
  assert.notEqual(sessionOf(replies[0]!), sessionOf(replies[1]!));
});

test("a session is continued by its id, with its stored history, by its own platform only", async (t) => {
  const bench = await createGatewayBench(t);
  const client = new Client(bench, { chat_id: "2" });
  const { id } = await client.say("one");
  const named = await bench.adapter.ask("named");
  const byId = await bench.adapter.ask("two", { session_id: id });
  assert.equal(sessionOf(byId), id);
  assert.deepEqual(textsOf(bench, id).slice(2), ["two", "two"]);
  assert.equal(
    sessionOf(await bench.adapter.ask("more", { chat_id: "9", session_id: sessionOf(named) })),
    sessionOf(named),
  );
  const { id: foreign } = bench.agent.sessions.create({ platform: "cli", source: "chat" });
  for (const session_id of [foreign, "nothing"]) {
    assert.equal(sessionOf(await bench.adapter.ask("hello", { session_id })), sessionOf(named));
  }
});

test("a message by a session's id waits for the request that runs in it", async (t) => {
  const bench = await createGatewayBench(t);
  const frames: string[] = [];
  const running = bench.adapter.ask("@wait {}", {
    history: [],
    onFrame: ({ session_id }) => void frames.push(session_id),
  });
  await bench.tool.running(1);
  const next = bench.adapter.ask("after that", { session_id: frames[0]! });
  const other = await bench.adapter.ask("hello", { chat_id: "2" });
  assert.match(other.text!, /^hello/);
  bench.tool.release();
  assert.match((await running).text!, /^wait returned/);
  assert.equal((await next).text, "after that");
});

test("images reach the agent; a message that is only an image is not empty", async (t) => {
  const bench = await createGatewayBench(t);
  const image = { media_type: "image/png", data: "iVBORw0KGgo=" };
  const reply = await bench.adapter.ask("", { images: [image] });
  assert.match(reply.text!, /An image was sent/);
  assert.deepEqual(bench.agent.sessions.history(sessionOf(reply))[0], { role: "user", content: "", images: [image] });
  for (const images of ["none", [{ media_type: "text/html", data: "" }], [{ media_type: "image/png" }]]) {
    const refused = await bench.adapter.ask("x", { images: images as never });
    assert.equal(refused.problem?.code, "HERMES_MESSAGE_INVALID");
  }
});

test("system messages of a history are instructions: they follow the client's, and are not stored", async (t) => {
  const server = await startModelServer([]);
  t.after(() => server.stop());
  const bench = await createGatewayBench(t, {
    model: { provider: "openai-compatible", base_url: server.url, default: "m" },
  });
  const history: ChatMessage[] = [{ role: "system", content: "Be brief." }];
  const reply = await bench.adapter.ask("hello", { history, instructions: "Be kind." });
  const [system, ...rest] = server.requests[0]!.messages;
  assert.match(String(system?.content), /^You are Hermes[^]*\n\nBe kind\.\n\nBe brief\.$/);
  assert.deepEqual(rest, [{ role: "user", content: "hello" }]);
  assert.deepEqual(textsOf(bench, sessionOf(reply)), ["hello", "done"]);
});

test("an idle conversation that is named by the header ends; a session by its id continues", async (t) => {
  const bench = await createGatewayBench(t, { settings: { allowed_users: ["*"], idle_reset_minutes: 60 } });
  const first = sessionOf(await bench.adapter.ask("hello", { session_id: "notes" }));
  const makeIdle = () => bench.database.exec("UPDATE sessions SET updated_at = '2020-01-01T00:00:00.000Z'");
  makeIdle();
  assert.equal(sessionOf(await bench.adapter.ask("hello", { session_id: first })), first);
  makeIdle();
  const { frames } = await bench.adapter.ask("hello", { session_id: "notes" });
  assert.notEqual(frames.at(-1)?.session_id, first);
});

test("of many conversations, those used least recently are finalized, and may go on", async (t) => {
  const bench = await createGatewayBench(t);
  record(bench, ["on_session_finalize"], ["session:end"]);
  const clients = Array.from({ length: 101 }, (_, index) => new Client(bench, { chat_id: `c${index}` }));
  const { id } = await clients[0]!.say("hello");
  const second = await clients[1]!.say("hello");
  await clients[0]!.say("again");
  for (const client of clients.slice(2)) await client.say("hello");
  assert.deepEqual(bench.order, [`on_session_finalize ${second.id}`]);
  assert.equal((await clients[1]!.say("more")).id, second.id);
  assert.deepEqual(bench.order.slice(1), [`on_session_finalize ${id}`]);
});

test("conversations are recognised from memory while state.db takes no rows", async (t) => {
  const bench = await createGatewayBench(t);
  bench.database.exec("DROP TABLE client_histories");
  const client = new Client(bench);
  const { id } = await client.say("one");
  assert.equal((await client.say("two")).id, id);
  assert.ok(bench.logged.some((line) => line.startsWith("a client's conversation cannot be recorded")));
});
