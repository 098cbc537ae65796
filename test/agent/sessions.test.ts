import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { withoutCompacted } from "#agent/compaction";
import { repairHistory } from "#agent/history";
import { INJECTED } from "#agent/injections";
import { compareSessionIds, createSessionId } from "#agent/session-id";
import { SqliteSessions } from "#agent/sessions";
import { problemOf } from "#core/errors";
import { openMemoryDatabase } from "#core/home/database";
import type { ChatMessage } from "#core/messages";
import { createBench } from "../helpers/agent-bench.ts";

const user = (content: string): ChatMessage => ({ role: "user", content });
const assistant = (content: string): ChatMessage => ({ role: "assistant", content });

function createStore() {
  const problems: string[] = [];
  const database = openMemoryDatabase();
  return { database, problems, store: new SqliteSessions(database, (error) => problems.push(problemOf(error))) };
}

test("ids are unique, and differ in their first eight characters", () => {
  const ids = Array.from({ length: 500 }, createSessionId);
  assert.equal(new Set(ids).size, 500);
  assert.equal(new Set(ids.map((id) => id.slice(0, 8))).size, 500);
  assert.deepEqual(ids, ids.toSorted(compareSessionIds));
  assert.match(ids[0]!, /^[0-9a-f]{8}_[0-9a-z]+$/);
});

test("messages come back as they were, in order", () => {
  const { store } = createStore();
  const { id } = store.create({ platform: "cli", source: "chat" });
  const messages: ChatMessage[] = [
    user("hé\u0000 \ud83d"),
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "a", type: "function", function: { name: "t", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "a", content: "1" },
  ];
  for (const message of messages) store.append(id, message);
  assert.deepEqual(store.history(id), messages);
  assert.equal(store.get(id)?.message_count, 3);
});

test("latest is the conversation last held on the platform: no child's, no plugin's, no empty one", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-21T12:00:00Z") });
  const { store } = createStore();
  const first = store.create({ platform: "cli", source: "chat" });
  const second = store.create({ platform: "cli", source: "chat" });
  store.create({ platform: "telegram", source: "gateway", key: "k" });
  store.create({ platform: "cli", source: "delegate", parent: second.id });
  assert.equal(store.latest("cli"), undefined);
  store.append(second.id, user("hello"));
  const plugins = store.create({ platform: "cli", source: "plugin:p" });
  store.append(plugins.id, user("by itself"));
  assert.equal(store.latest("cli")?.id, second.id);
  t.mock.timers.tick(1);
  store.append(first.id, user("again"));
  assert.equal(store.latest("cli")?.id, first.id);
  assert.equal(store.list().length, 4);
  assert.equal(store.list({ children: true }).length, 5);
  assert.equal(store.byKey("k")?.platform, "telegram");
  assert.equal(store.latest("nowhere"), undefined);
});

test("the session of a key is the one created last, whichever was used last and whatever the clock says", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-21T12:00:00Z") });
  const { store } = createStore();
  const first = store.create({ platform: "telegram", source: "gateway", key: "k" });
  t.mock.timers.setTime(Date.parse("2026-11-21T11:00:00Z"));
  const second = store.create({ platform: "telegram", source: "gateway", key: "k" });
  store.create({ platform: "telegram", source: "gateway", key: "other" });
  t.mock.timers.setTime(Date.parse("2026-11-21T13:00:00Z"));
  store.append(first.id, user("used last"));
  assert.equal(store.byKey("k")?.id, second.id);
  assert.equal(store.byKey("nobody's"), undefined);
});

test("a session that lives in memory is found by its key, before one in the file that is older", () => {
  const { store, database, problems } = createStore();
  const stored = store.create({ platform: "telegram", source: "gateway", key: "k" });
  database.exec("PRAGMA query_only = ON");
  const inMemory = store.create({ platform: "telegram", source: "gateway", key: "k" });
  store.append(stored.id, user("the older one goes on in memory, too"));
  assert.equal(problems.length, 1);
  assert.equal(store.byKey("k")?.id, inMemory.id);
});

test("what the model gets of a session is read without what a summary replaces", () => {
  const { store } = createStore();
  const kind = fc.constantFrom<ChatMessage>(
    user("u"),
    { role: "user", content: "injected", name: INJECTED },
    assistant("a"),
    { role: "tool", tool_call_id: "a", content: "1" },
    { role: "system", content: "text" },
  );
  const summary = fc.nat(12).map((compacts): ChatMessage => ({ role: "system", content: "summary", compacts }));
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 6, arbitrary: kind }, summary), { maxLength: 12 }), (messages) => {
      const { id } = store.create({ platform: "cli", source: "chat" });
      for (const message of messages) store.append(id, message);
      assert.deepEqual(store.activeHistory(id), withoutCompacted(messages));
    }),
  );
});

test("undo removes the last turn and returns the user's message", () => {
  const { store } = createStore();
  const { id } = store.create({ platform: "cli", source: "chat" });
  for (const message of [user("one"), assistant("1"), user("two"), assistant("2")]) store.append(id, message);
  assert.equal(store.undo(id), "two");
  assert.deepEqual(store.history(id), [user("one"), assistant("1")]);
  store.append(id, user("three"));
  assert.equal(store.history(id).length, 3);
  store.append(id, { role: "user", content: "injected into the turn", name: "injected" });
  assert.equal(store.undo(id), "three");
  assert.equal(store.undo(id), "one");
  assert.equal(store.undo(id), null);
});

test("titles, export, deletion with the children's sessions", () => {
  const { store, database } = createStore();
  const { id } = store.create({ platform: "cli", source: "chat" });
  const child = store.create({ platform: "subagent", source: "delegate", parent: id });
  const grandchild = store.create({ platform: "subagent", source: "delegate", parent: child.id });
  store.append(grandchild.id, user("deep"));
  store.rename(id, "A title");
  store.append(id, user("one"));
  const exported = store.export(id);
  assert.equal(exported?.title, "A title");
  assert.deepEqual(exported?.messages, [user("one")]);
  assert.equal(store.delete(id), true);
  assert.equal(store.delete(id), false);
  assert.equal(store.get(grandchild.id), undefined);
  assert.equal(database.prepare("SELECT count(*) AS n FROM messages").get()?.["n"], 0);
});

test("prune deletes what was not used for so many days, and nothing at 0", () => {
  const { store, database } = createStore();
  const old = store.create({ platform: "cli", source: "chat" });
  const fresh = store.create({ platform: "cli", source: "chat" });
  database.prepare("UPDATE sessions SET updated_at = '2020-01-01T00:00:00.000Z' WHERE id = ?").run(old.id);
  assert.equal(store.prune(0), 0);
  assert.equal(store.prune(90), 1);
  assert.deepEqual(
    store.list().map(({ id }) => id),
    [fresh.id],
  );
});

test("the last sessions are found without sorting or counting the others", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-21T12:00:00Z") });
  const { store, database } = createStore();
  const reads: { sql: string; values: (string | number)[]; rows: number }[] = [];
  const prepare = database.prepare.bind(database);
  database.prepare = (sql) => {
    const statement = prepare(sql);
    const all = statement.all.bind(statement) as unknown as (...values: unknown[]) => Record<string, never>[];
    statement.all = ((...values: (string | number)[]) => {
      const rows = all(...values);
      reads.push({ sql, values, rows: rows.length });
      return rows;
    }) as unknown as typeof statement.all;
    return statement;
  };
  for (let index = 0; index < 60; index++) {
    t.mock.timers.tick(1);
    store.append(store.create({ platform: "cli", source: "chat" }).id, user(`question ${index}`));
  }
  const newest = store.list({ limit: 3 });
  assert.deepEqual(
    newest.map(({ id }) => store.history(id)[0]?.content),
    ["question 59", "question 58", "question 57"],
  );
  reads.length = 0;
  assert.equal(store.latest("cli")?.id, newest[0]!.id);
  store.list({ limit: 3 });
  assert.deepEqual(
    reads.map(({ rows }) => rows < 30),
    [true, true],
    "more sessions were read than needed",
  );
  for (const { sql, values } of reads) {
    const steps = prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
    assert.ok(!steps.some(({ detail }) => String(detail).includes("TEMP B-TREE")), JSON.stringify(steps));
  }
  // Those of plugins do not hide an older conversation, however many they are.
  for (let index = 0; index < 60; index++) {
    t.mock.timers.tick(1);
    store.append(store.create({ platform: "cli", source: "plugin:p" }).id, user("by itself"));
  }
  assert.equal(store.latest("cli")?.id, newest[0]!.id);
});

test("when writing fails, the conversation continues in memory, is reported once, and is saved later", () => {
  const { store, database, problems } = createStore();
  const { id } = store.create({ platform: "cli", source: "chat" });
  store.append(id, user("on disk"));
  database.exec("PRAGMA query_only = ON");
  store.append(id, assistant("in memory"));
  store.rename(id, "title");
  const later = store.create({ platform: "cli", source: "chat" });
  store.append(later.id, user("new"));
  store.truncate(later.id, 0);
  store.append(later.id, user("newer"));
  assert.equal(problems.length, 1);
  assert.deepEqual(store.history(id), [user("on disk"), assistant("in memory")]);
  assert.deepEqual(store.history(later.id), [user("newer")]);
  assert.equal(store.get(id)?.title, "title");
  assert.equal(store.latest("cli")?.id, later.id);
  database.exec("PRAGMA query_only = OFF");
  store.append(id, user("on disk again"));
  store.append(later.id, assistant("too"));
  const reader = new SqliteSessions(database, () => {});
  assert.equal(reader.history(id).length, 3);
  assert.equal(reader.get(id)?.title, "title");
  assert.deepEqual(reader.history(later.id), [user("newer"), assistant("too")]);
});

test("repair gives lost results a result, puts results in order and drops strays; a sound history stays", () => {
  const calls: ChatMessage = {
    role: "assistant",
    content: null,
    tool_calls: ["a", "b"].map((id) => ({ id, type: "function", function: { name: "t", arguments: "{}" } })),
  };
  const result = (id: string): ChatMessage => ({ role: "tool", tool_call_id: id, content: id });
  const sound = [user("x"), calls, result("a"), result("b"), assistant("y")];
  assert.deepEqual(repairHistory(sound), sound);
  assert.deepEqual(repairHistory([user("x"), calls, result("b"), result("a"), assistant("y")]), sound);
  const broken = repairHistory([result("z"), user("x"), calls, result("b"), user("y")]);
  assert.deepEqual(
    broken.map(({ role }) => role),
    ["user", "assistant", "tool", "tool", "user"],
  );
  assert.match(String(broken[2]?.content), /interrupted/);
});

test("a turn goes through although nothing can be written", async () => {
  const { store, database, problems } = createStore();
  const session = store.create({ platform: "cli", source: "chat" });
  database.exec("PRAGMA query_only = ON");
  const bench = createBench({ deps: { sessions: store } });
  const first = await bench.turn("run `one`", { session });
  const second = await bench.turn("hello", { session });
  assert.deepEqual([first.exit_code, second.text], [0, "hello"]);
  assert.equal(problems.length, 1);
  assert.equal(store.history(session.id).length, 6);
});

test("a session is found by its id or an unambiguous beginning, and several are listed", () => {
  const { store, database } = createStore();
  const add = database.prepare(
    "INSERT INTO sessions (id, platform, source, created_at, updated_at) VALUES (?, 'cli', 'chat', '', '')",
  );
  for (const id of ["aaaa1111_0", "aaaa1112_0", "aaaa2222_0", "x"]) add.run(id);
  assert.equal(store.named("aaaa2").id, "aaaa2222_0");
  assert.equal(store.named("aaaa1111_0").id, "aaaa1111_0");
  assert.equal(store.named("x").id, "x");
  assert.throws(() => store.named("aaaa1"), {
    code: "HERMES_ID_AMBIGUOUS",
    message: 'Several ids begin with "aaaa1": aaaa1112_0, aaaa1111_0.',
  });
  for (const unknown of ["aaa", "aaaa3", "", "aaaa%", "aaaa2222_0_"]) {
    assert.throws(() => store.named(unknown), { code: "HERMES_SESSION_UNKNOWN" }, unknown);
  }
});

test("a session that could not be saved is found by its beginning, too", () => {
  const { store, database } = createStore();
  database.exec("PRAGMA query_only = 1");
  const { id } = store.create({ platform: "cli", source: "chat" });
  assert.equal(store.named(id.slice(0, 6)).id, id);
});

test("a session without a message is not kept, unless it is a conversation's with a key or has children", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-21T12:00:00Z") });
  const { store } = createStore();
  const create = (options = {}) => store.create({ platform: "cli", source: "chat", ...options }).id;
  const parent = create();
  const kept = [create({ key: "k" }), parent, create()];
  create({ parent });
  store.append(kept[2]!, user("hello"));
  const empty = create();
  for (const id of [...kept, empty]) store.deleteEmpty(id);
  assert.deepEqual(
    [...kept, empty].map((id) => store.get(id) !== undefined),
    [true, true, true, false],
  );
  const left = create();
  t.mock.timers.tick(86_400_001);
  assert.equal(store.prune(9), 2, "the one that was left, and the child's");
  assert.equal(store.get(left), undefined);
});

test("an empty session that could not be saved is forgotten, too", () => {
  const { store, database } = createStore();
  database.exec("PRAGMA query_only = 1");
  const { id } = store.create({ platform: "cli", source: "chat" });
  store.deleteEmpty(id);
  assert.equal(store.get(id), undefined);
});
