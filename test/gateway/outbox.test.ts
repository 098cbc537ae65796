/** Answers on their way: order, pauses, what is given up, what is pruned. */
import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { createGatewayBench } from "../helpers/gateway-bench.ts";
import { MemoryAdapter } from "../helpers/memory-adapter.ts";
import { until } from "../helpers/poll.ts";

const AGAIN = "(sent again; you may have it already)\n";

function rows(database: DatabaseSync) {
  return database.prepare("SELECT text, attempts, sent_at FROM outbox ORDER BY id").all();
}

function unsent(database: DatabaseSync): unknown[] {
  return rows(database)
    .filter(({ sent_at }) => sent_at === null)
    .map(({ text }) => text);
}

/** Writes a row as an earlier run of the program left it. */
function leave(
  database: DatabaseSync,
  text: string,
  options: { attempts?: number; age?: number; sent?: boolean } = {},
) {
  const at = new Date(Date.now() - (options.age ?? 0)).toISOString();
  database
    .prepare(
      `INSERT INTO outbox (session_id, platform, chat_id, thread_id, text, created_at, attempts, sent_at)
       VALUES ('', 'memory', '1', NULL, ?, ?, ?, ?)`,
    )
    .run(text, at, options.attempts ?? 0, options.sent === true ? at : null);
}

test("an answer is a row before it is sent, and says when it was", async (t) => {
  const { adapter, database } = await createGatewayBench(t);
  const seen: unknown[] = [];
  adapter.onSend = () => void seen.push(...rows(database));
  await adapter.receive("hello");
  const [row] = seen as { text: string; attempts: number; sent_at: string | null }[];
  assert.match(row!.text, /^hello/);
  assert.deepEqual([row!.attempts, row!.sent_at], [1, null]);
  assert.deepEqual(unsent(database), []);
});

test("texts that a platform refused are sent later, in each chat's order, unmarked; other chats continue", async (t) => {
  const { adapter, database } = await createGatewayBench(t);
  let isDown = true;
  adapter.onSend = (_, chat_id) => {
    if (isDown && chat_id === "1") throw new Error("not now");
  };
  await adapter.receive("one");
  await adapter.receive("two");
  await adapter.receive("other", { chat_id: "2" });
  assert.equal(unsent(database).length, 2);
  assert.equal(adapter.textsOf("2").length, 1);
  assert.ok(rows(database).every(({ attempts, sent_at }) => attempts === (sent_at === null ? 0 : 1)));
  isDown = false;
  await until(() => adapter.textsOf("1").length === 2, "both answers");
  assert.match(adapter.textsOf("1")[0]!, /^one/);
  assert.equal(adapter.textsOf("1")[1], "two");
});

test("pauses grow while a platform refuses, and nothing waits for them", async (t) => {
  const { adapter } = await createGatewayBench(t, { timings: { firstPause: 40, longestPause: 80 } });
  const moments: number[] = [];
  adapter.onSend = () => {
    moments.push(performance.now());
    if (moments.length < 4) throw new Error("not now");
  };
  await adapter.receive("hello");
  assert.equal(moments.length, 1);
  await until(() => moments.length === 4, "the fourth attempt");
  const pauses = moments.slice(1).map((moment, index) => moment - moments[index]!);
  assert.ok(pauses[0]! >= 35 && pauses[1]! >= 75 && pauses[2]! >= 75, String(pauses));
});

test("a platform that is down at start gets what waits once it runs", async (t) => {
  const down = () => {
    throw new Error("down");
  };
  const adapter = new MemoryAdapter({ starts: [down, down, down] });
  const { gateway, database } = await createGatewayBench(t, { adapters: [adapter] });
  await gateway.deliver("news", { platform: "memory", chat_id: 1 });
  await gateway.deliver("more news", { platform: "memory", chat_id: 1 });
  assert.deepEqual(unsent(database), ["news", "more news"]);
  await until(() => adapter.sent.length === 2, "both texts");
  assert.deepEqual(adapter.textsOf("1"), ["news", "more news"]);
});

test("a send that never ends is bounded: once more, marked, then given up; the next text follows", async (t) => {
  const { adapter, database, logged } = await createGatewayBench(t, { timings: { send: 40 } });
  const attempts: string[] = [];
  adapter.onSend = (text) => {
    attempts.push(text);
    return text.includes("lost") ? new Promise(() => undefined) : undefined;
  };
  await adapter.receive("lost");
  await adapter.receive("found");
  await until(() => adapter.sent.length === 1, "the second answer");
  assert.equal(attempts.filter((text) => text.includes("lost")).length, 2);
  assert.ok(attempts[1]!.startsWith(AGAIN));
  assert.deepEqual(adapter.textsOf("1"), ["found"]);
  assert.ok(logged.some((line) => line.startsWith("a text was given up")));
  assert.equal(rows(database).length, 1);
});

test("what will never be taken is given up at once, and whoever delivers it learns why", async (t) => {
  const { adapter, gateway, database } = await createGatewayBench(t);
  adapter.onSend = () => {
    throw Object.assign(new Error("the chat is gone"), { permanent: true });
  };
  await adapter.receive("hello");
  assert.deepEqual(rows(database), []);
  await assert.rejects(gateway.deliver("x", { platform: "memory", chat_id: "1" }), {
    code: "HERMES_HOME_CHANNEL",
    message: /the chat is gone/,
  });
});

test("at start: what an earlier run left is sent, marked, in order; what was tried twice or is old is not", async (t) => {
  const adapter = new MemoryAdapter();
  const bench = await createGatewayBench(t, { adapters: [adapter], start: false });
  const { database, gateway, logged } = bench;
  const week = 7 * 86_400_000;
  leave(database, "never tried");
  leave(database, "tried once", { attempts: 1 });
  leave(database, "tried twice", { attempts: 2 });
  leave(database, "stale", { age: week + 1000 });
  leave(database, "sent", { sent: true });
  leave(database, "sent long ago", { sent: true, age: week + 1000 });
  await gateway.start([adapter]);
  await until(() => adapter.sent.length === 2, "both texts");
  assert.deepEqual(adapter.textsOf("1"), [`${AGAIN}never tried`, `${AGAIN}tried once`]);
  await until(() => rows(database).length === 3, "the rest is forgotten");
  assert.deepEqual(
    rows(database).map(({ text }) => text),
    ["never tried", "tried once", "sent"],
  );
  assert.equal(logged.filter((line) => line.startsWith("a text was given up")).length, 2);
});

test("what was tried once and is refused now is still sent once more later, marked", async (t) => {
  const adapter = new MemoryAdapter();
  const bench = await createGatewayBench(t, { adapters: [adapter], start: false });
  leave(bench.database, "tried once", { attempts: 1 });
  let refusals = 5;
  adapter.onSend = () => {
    if (refusals-- > 0) throw new Error("not now");
  };
  await bench.gateway.start([adapter]);
  await until(() => adapter.sent.length === 1, "the text");
  assert.deepEqual(adapter.textsOf("1"), [`${AGAIN}tried once`]);
});

test("a database that fails keeps no answer from being sent", async (t) => {
  const { adapter, database, logged } = await createGatewayBench(t);
  database.exec("DROP TABLE outbox");
  await adapter.receive("hello");
  assert.match(adapter.sent[0]!.text, /^hello/);
  assert.ok(logged.some((line) => line.startsWith("the outbox in state.db cannot be written")));
});

test("deliver: to the home channel or the one that is named, else it says what is missing", async (t) => {
  const bench = await createGatewayBench(t);
  const { gateway, adapter } = bench;
  await assert.rejects(gateway.deliver("x"), { code: "HERMES_HOME_CHANNEL", message: /home_channel is not set/ });
  bench.settings = { home_channel: { platform: "memory", chat_id: 42 } };
  await gateway.deliver("to the home");
  await gateway.deliver("  ");
  await gateway.deliver("elsewhere", { platform: "memory", chat_id: "7", thread_id: "t" });
  await assert.rejects(gateway.deliver("x", { platform: "nowhere", chat_id: "1" }), { code: "HERMES_HOME_CHANNEL" });
  assert.deepEqual(adapter.sent, [
    { chat_id: "42", text: "to the home", thread_id: null },
    { chat_id: "7", text: "elsewhere", thread_id: "t" },
  ]);
});

test("a turn that is stopped behind its complete answer has answered, once", async (t) => {
  const { adapter, agent, database } = await createGatewayBench(t);
  const looking = Promise.withResolvers<void>();
  agent.hook("post_llm_call", () => {
    looking.resolve();
    return new Promise(() => undefined);
  });
  const first = adapter.receive("hello");
  await looking.promise;
  assert.equal(unsent(database).length, 1);
  await adapter.receive("/stop");
  await first;
  assert.equal(adapter.textsOf("1")[0], "Stopped.");
  assert.match(adapter.textsOf("1")[1]!, /^hello/);
  assert.equal(rows(database).length, 2);
});

test("a draft waits for its turn behind what the chat has not got yet", async (t) => {
  const adapter = new MemoryAdapter({ drafts: true });
  const { gateway } = await createGatewayBench(t, { adapters: [adapter] });
  let refusals = 3;
  adapter.onSend = () => {
    if (refusals-- > 0) throw new Error("not now");
  };
  await gateway.deliver("first", { platform: "memory", chat_id: "1" });
  await adapter.receive("second");
  await until(() => adapter.sent.length === 2, "both texts");
  assert.equal(adapter.textsOf("1")[0], "first");
});

test("more than a thousand texts do not wait for one chat", async (t) => {
  const { gateway, adapter, database } = await createGatewayBench(t, { timings: { firstPause: 60_000 } });
  adapter.onSend = () => {
    throw new Error("not now");
  };
  for (let index = 0; index < 1005; index++) {
    await gateway.deliver(`number ${index}`, { platform: "memory", chat_id: "1" }).catch(() => undefined);
  }
  const waiting = unsent(database);
  assert.equal(waiting.length, 1000);
  assert.deepEqual([waiting[0], waiting[1], waiting.at(-1)], ["number 0", "number 6", "number 1004"]);
});
