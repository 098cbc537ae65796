/** The API for tasks and deliveries: bounded, behind the sign-in, and quick with many rows. */
import { embeddedStorage } from "#daemon/storage/embedded";
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { searchSessions } from "#agent/session-search";
import { SqliteSessions } from "#agent/sessions";
import { storedSessions } from "#cli/commands/dashboard/stored-sessions";
import { toMarkdown } from "#cli/commands/sessions/markdown";
import { createDaemonDesk } from "#cli/daemon/desk";
import { createTaskDesk } from "#cli/tasks/desk";
import { openDatabase } from "#core/home/database";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { EmbeddedReplays } from "#daemon/storage/embedded-replays";
import { EmbeddedTasks } from "#daemon/storage/embedded-tasks";
import type { SessionSearch, StoredSessions } from "#dashboard/session-routes";
import { until } from "../helpers/poll.ts";
import { temporaryFolder, TestDashboard } from "../helpers/dashboard.ts";

const NEW = { cwd: "/", idempotencyKey: null, runner: null, maxTurns: null, timeout: 0, submittedOn: "cli" };

async function start(t: TestContext, search?: StoredSessions["search"]) {
  const folder = temporaryFolder(t);
  const database = openDatabase(join(folder, "state.db"));
  const deliveries = new EmbeddedDeliveries(database);
  const tasks = new EmbeddedTasks(database, deliveries);
  const replays = new EmbeddedReplays(database);
  const redact = (text: string) => text.replaceAll("hunter2hunter2", "[redacted]");
  const desk = createTaskDesk({
    storage: async () => embeddedStorage(database),
    folder,
    persist: () => true,
    deliveriesFor: () => [],
    redact,
  });
  const daemons = createDaemonDesk({
    storage: async () => embeddedStorage(database),
    run: join(folder, "run"),
    redact,
  });
  const sessions = new SqliteSessions(database, (error) => assert.ifError(error));
  const shown = storedSessions({
    store: sessions,
    search: search ?? ((query) => searchSessions(database, { ...query, redact })),
    toMarkdown,
    prices: { id: "m", input: 3, output: 15 },
  });
  const dashboard = await TestDashboard.start(t, {
    database,
    folder,
    stored: { tasks: desk, deliveries, daemons, sessions: shown, replays },
  });
  const get = async (path: string) => {
    const { status, json } = await dashboard.get(path, dashboard.bearer);
    return { status, body: json() };
  };
  return { folder, database, deliveries, tasks, replays, sessions, dashboard, get };
}

test("tasks are listed newest first, filtered, cut, and without secrets", async (t) => {
  const { tasks, get, folder } = await start(t);
  assert.deepEqual(await get("/api/tasks"), { status: 200, body: { tasks: [] } });
  const ids = [];
  for (let number = 0; number < 250; number++) {
    ids.push((await tasks.submit({ ...NEW, prompt: `${number} hunter2hunter2 ${"x".repeat(5000)}` })).id);
  }
  await tasks.cancel(ids[0]!);
  const listed = async (query: string) => (await get(`/api/tasks${query}`)).body["tasks"] as Record<string, unknown>[];
  assert.deepEqual([(await listed("")).length, (await listed("?limit=7")).length], [100, 7]);
  assert.equal((await listed("?limit=999999")).length, 200);
  const [newest] = await listed("?limit=1");
  assert.equal(newest?.["id"], ids.at(-1));
  assert.match(String(newest?.["prompt"]), /^249 \[redacted\] x{280,300}…$/);
  assert.deepEqual(
    (await listed("?status=cancelled")).map(({ id }) => id),
    [ids[0]],
  );
  mkdirSync(folder, { recursive: true });
  const frame = {
    type: "assistant",
    session_id: "s",
    content: "said hunter2hunter2\n<b>done</b>",
    finish_reason: "stop",
  };
  writeFileSync(join(folder, `${ids[0]}.jsonl`), `${JSON.stringify(frame)}\n`);
  const { body } = await get(`/api/tasks/${ids[0]}`);
  assert.deepEqual(body["output"], ["said [redacted]", "<b>done</b>"]);
  assert.equal((body["task"] as Record<string, unknown>)["status"], "cancelled");
});

test("sessions are listed last used first, with titles without secrets", async (t) => {
  const { sessions, get } = await start(t);
  assert.deepEqual(await get("/api/sessions"), { status: 200, body: { sessions: [] } });
  const chat = sessions.create({ platform: "cli", source: "chat" });
  sessions.rename(chat.id, `say hunter2hunter2 ${"x".repeat(500)}`);
  sessions.append(chat.id, { role: "user", content: "say hunter2hunter2" });
  sessions.create({ platform: "subagent", source: "delegate", parent: chat.id, title: "child" });
  const list = (await get("/api/sessions")).body["sessions"] as Record<string, unknown>[];
  assert.deepEqual(list.map(({ title }) => title).at(0), "child");
  assert.match(String(list[1]?.["title"]), /^say \[redacted\] x{250,300}…$/);
  assert.deepEqual([list[1]?.["id"], list[1]?.["message_count"], list.length], [chat.id, 1, 2]);
  assert.equal(((await get("/api/sessions?limit=1")).body["sessions"] as unknown[]).length, 1);
  const bare = await TestDashboard.start(t);
  assert.deepEqual((await bare.get("/api/sessions", bare.bearer)).json(), { sessions: [] });
  assert.equal((await bare.get("/api/sessions")).status, 401);
});

test("the last replay is shown without secrets, its changes newest first and by event; an older one is gone", async (t) => {
  const { replays, sessions, get } = await start(t);
  const nothing = { replay: null, events: [], changed: [] };
  assert.deepEqual(await get("/api/replay"), { status: 200, body: nothing });
  const filters = { session: null, since: null, event: null, hook: "hunter2hunter2" };
  const summary = { filters, hooks: { added: ["hunter2hunter2"], removed: [] }, firings: 900, same: 200, changed: 700 };
  const { id } = sessions.create({ platform: "cli", source: "chat" });
  const change = (number: number) => ({
    time: new Date(number * 1000).toISOString(),
    event: number % 2 === 0 ? "pre_tool_call" : "command:model",
    session_id: number === 699 ? id : "s",
    tool_name: null,
    recorded: "pass" as const,
    now: "block" as const,
    hook: "guard",
    message: `no hunter2hunter2 ${"x".repeat(5000)}`,
  });
  await replays.save({ ...summary, ran_at: "2026-01-01T00:00:00.000Z" }, [change(0)]);
  const changes = Array.from({ length: 700 }, (_, number) => change(number));
  await replays.save({ ...summary, ran_at: "2026-01-02T00:00:00.000Z" }, changes);
  const { body } = await get("/api/replay?limit=3");
  const { replay, events, changed } = body as Record<string, Record<string, unknown>[]> & { replay: object };
  assert.deepEqual(replay, {
    ...summary,
    ran_at: "2026-01-02T00:00:00.000Z",
    filters: { ...filters, hook: "[redacted]" },
    hooks: { added: ["[redacted]"], removed: [] },
  });
  assert.deepEqual(events, [
    { event: "command:model", changed: 250 },
    { event: "pre_tool_call", changed: 250 },
  ]);
  assert.deepEqual(
    changed!.map(({ time }) => Date.parse(String(time)) / 1000),
    [699, 698, 697],
  );
  assert.match(String(changed![0]!["message"]), /^no \[redacted\] x{250,300}…$/);
  const ofEvent = (await get("/api/replay?event=pre_tool_call&limit=1")).body["changed"] as Record<string, unknown>[];
  assert.deepEqual([ofEvent.length, ofEvent[0]?.["event"]], [1, "pre_tool_call"]);
  // A deleted conversation is gone from here, too.
  sessions.delete(id);
  const left = (await get("/api/replay?limit=1")).body["changed"] as Record<string, unknown>[];
  assert.equal(left[0]?.["session_id"], "s");
  const bare = await TestDashboard.start(t);
  assert.equal((await bare.get("/api/replay")).status, 401);
});

test("a session has its tokens, and the cost of the turns whose model has prices", async (t) => {
  const { sessions, get } = await start(t);
  const used = (id: string, model: string, input_tokens: number, output_tokens: number) =>
    sessions.usage.add(id, { kind: "turn", model, input_tokens, output_tokens, context_tokens: 0 });
  const [none, both, other] = ["none", "both", "other"].map(
    (title) => sessions.create({ platform: "cli", source: "chat", title }).id,
  ) as [string, string, string];
  used(both, "m", 1_000_000, 0);
  used(both, "m", 0, 100_000);
  used(both, "elsewhere", 10, 5);
  used(both, "elsewhere", 10, 5);
  used(other, "elsewhere", 7, 1);
  const list = (await get("/api/sessions")).body["sessions"] as { readonly id: string; readonly usage: unknown }[];
  const expected = {
    [none]: { input_tokens: 0, output_tokens: 0, cost: null, unpriced_turns: 0 },
    [both]: { input_tokens: 1_000_020, output_tokens: 100_010, cost: 4.5, unpriced_turns: 2 },
    [other]: { input_tokens: 7, output_tokens: 1, cost: null, unpriced_turns: 0 },
  };
  assert.deepEqual(Object.fromEntries(list.map(({ id, usage }) => [id, usage])), expected);
  const one = (await get(`/api/sessions/${both}`)).body["session"] as Record<string, unknown>;
  assert.deepEqual(one["usage"], expected[both]);
});

test("a session is shown, found and exported without secrets, even where a snippet is cut", async (t) => {
  const { sessions, dashboard, get } = await start(t);
  const { id } = sessions.create({ platform: "cli", source: "chat", title: "The build" });
  sessions.append(id, { role: "user", content: "please fix the build" });
  const call = { id: "c", type: "function" as const, function: { name: "terminal", arguments: '{"command":"make"}' } };
  sessions.append(id, { role: "assistant", content: null, tool_calls: [call] });
  const output = `needle ${"x".repeat(112)} hunter2hunter2`;
  sessions.append(id, { role: "tool", content: output, tool_call_id: "c" });
  const { body } = await get(`/api/sessions/${id}`);
  assert.deepEqual(body["messages"], [
    { role: "user", text: "please fix the build", calls: [] },
    { role: "assistant", text: "", calls: [{ name: "terminal", arguments: '{"command":"make"}' }] },
    { role: "tool", text: output.replace("hunter2hunter2", "[redacted]"), calls: [] },
  ]);
  const [hit] = (await get("/api/search?q=NEEDLE")).body["hits"] as Record<string, unknown>[];
  assert.deepEqual([hit?.["session_id"], hit?.["title"], hit?.["matches"]], [id, "The build", 1]);
  assert.match(String(hit?.["snippet"]), /^needle x+ \[redacted\]$/);
  assert.deepEqual((await get("/api/search?q=nothing+like+it")).body["hits"], []);
  for (const path of [
    "/api/search",
    "/api/search?q=+",
    `/api/search?q=${"x".repeat(201)}`,
    `/api/sessions/${id}/export?format=pdf`,
  ])
    assert.equal((await get(path)).status, 400, path);
  for (const path of ["/api/sessions/none", "/api/sessions/none/export", "/api/sessions/%2e%2e"])
    assert.equal((await get(path)).status, 404, path);

  const file = (format: string) => dashboard.get(`/api/sessions/${id}/export?format=${format}`, dashboard.bearer);
  const lines = await file("jsonl");
  const read = lines.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual([read[0]?.["id"], read.length, read[3]?.["role"]], [id, 4, "tool"]);
  assert.equal(lines.headers.get("content-disposition"), `attachment; filename="${id}.jsonl"`);
  const markdown = await file("markdown");
  assert.match(markdown.text, /^# The build\n[^]*## User\n\nplease fix the build/);
  for (const { text } of [lines, markdown]) assert.ok(text.includes("[redacted]") && !text.includes("hunter2"));
  assert.equal((await dashboard.get(`/api/sessions/${id}/export`)).status, 401);
});

test("a long search does not hold up the stream of events, and ends when its client goes", async (t) => {
  const asked: SessionSearch[] = [];
  const state = { isSeen: false, isLeft: false };
  const { dashboard, database, sessions } = await start(t, async function* (query) {
    asked.push(query);
    // The same search again and again, so that it lasts until the event has arrived: 200 times, if it never does.
    for (let times = 0; times < 200 && !state.isSeen; times++) yield* searchSessions(database, query);
    while (!state.isLeft && !query.signal.aborted) yield* searchSessions(database, query);
  });
  const { id } = sessions.create({ platform: "cli", source: "chat" });
  database
    .prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
       INSERT INTO messages (session_id, position, message, created_at)
       SELECT ?, i, json_object('role', 'user', 'content', printf('%.*c', 1000, 'x')), '' FROM n`,
    )
    .run(id);
  const stream = await dashboard.stream(t);
  const leave = new AbortController();
  const search = (query: string) =>
    fetch(`${dashboard.url}/api/search?q=${query}`, { headers: dashboard.bearer, signal: leave.signal });
  const gone = [assert.rejects(search("needle"))];
  await until(() => asked.length === 1, "the search has begun");
  gone.push(assert.rejects(search("other")));
  await dashboard.ingest({ event_type: "agent:step", context: {}, src: "test" });
  assert.equal((await stream.next()).event_type, "agent:step");
  state.isSeen = true;
  assert.deepEqual([asked.length, asked[0]?.signal.aborted], [1, false], "one at a time, and still at it");
  leave.abort();
  await Promise.all(gone);
  await until(() => asked[0]!.signal.aborted, "the search is told to end");
  state.isLeft = true;
  // The one that waited has gone, too, and the next one is answered.
  assert.equal((await dashboard.get("/api/search?q=third", dashboard.bearer)).status, 200);
  assert.deepEqual(
    asked.map(({ text }) => text),
    ["needle", "third"],
  );
});

test("deliveries are listed with their state; one has its payload and history", async (t) => {
  const { deliveries, get } = await start(t);
  const payload = JSON.stringify({ event: "x", text: "hunter2hunter2" });
  const [id = ""] = await deliveries.add([{ event: "x", endpoint: "e", payload }]);
  const attempt = { at: new Date().toISOString(), status: 500, error: "hunter2hunter2 failed", duration_ms: 12 };
  await deliveries.finish([{ id, attempt, next: { kind: "again", inMs: 60_000, counts: true } }]);
  const { body } = await get("/api/deliveries?status=pending");
  const [listed] = body["deliveries"] as Record<string, unknown>[];
  assert.deepEqual([listed?.["attempts"], listed?.["last_error"]], [1, "[redacted] failed"]);
  for (const none of ["status=failed", "endpoint=other", "endpoint=other&status=pending"])
    assert.deepEqual((await get(`/api/deliveries?${none}`)).body, { deliveries: [] }, none);
  assert.deepEqual((await get("/api/deliveries?endpoint=e")).body, body);
  const shown = (await get(`/api/deliveries/${id}`)).body;
  assert.equal(shown["payload"], '{\n  "event": "x",\n  "text": "[redacted]"\n}');
  assert.deepEqual(shown["history"], [{ ...attempt, error: "[redacted] failed" }]);
});

test("it is behind the sign-in, and mistakes are told", async (t) => {
  const { dashboard, get, database } = await start(t);
  for (const path of ["/api/tasks", "/api/tasks/abcdefgh", "/api/deliveries", "/api/deliveries/abcdefgh"]) {
    assert.equal((await dashboard.get(path)).status, 401, path);
    assert.equal((await dashboard.get(path, { cookie: await dashboard.signIn() })).status < 405, true, path);
    assert.equal((await dashboard.post(path, {}, dashboard.bearer)).status, 404, path);
  }
  const wrong: [path: string, status: number][] = [
    ["/api/tasks/abcdefgh", 404],
    ["/api/tasks/..%2f..%2fetc", 404],
    ["/api/deliveries/ABCDEFGH", 404],
    ["/api/tasks?status=nope", 400],
    ["/api/deliveries?status=running", 400],
    ["/api/deliveries?endpoint=a&endpoint=b", 400],
    ["/api/tasks?limit=-1", 400],
  ];
  for (const [path, status] of wrong) assert.equal((await get(path)).status, status, path);
  database.exec("DROP TABLE tasks");
  const { status, body } = await get("/api/tasks");
  assert.deepEqual(
    [status, body["detail"]],
    [503, "state.db cannot be read now; the log of the dashboard has the reason"],
  );
  assert.match(dashboard.log.join("\n"), /no such table: tasks/);
});

test("without a database it says so", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const { status, json } = await dashboard.get("/api/tasks", dashboard.bearer);
  assert.equal(status, 503);
  assert.match(String(json()["detail"]), /state\.db cannot be used/);
});

test("lists read through an index, whatever they are filtered by", async (t) => {
  const { database } = await start(t);
  const plans: string[] = [];
  const prepare = database.prepare.bind(database);
  t.mock.method(database, "prepare", (sql: string) => {
    const { length } = sql.match(/\?/g) ?? [];
    const named = /:(\w+)/g;
    const values = Object.fromEntries([...sql.matchAll(named)].map(([, name]) => [name!, null]));
    const plan = prepare(`EXPLAIN QUERY PLAN ${sql}`).all(
      values,
      ...Array.from<null>({ length: length ?? 0 }).fill(null),
    );
    plans.push(...plan.map(({ detail }) => String(detail)));
    return prepare(sql);
  });
  const deliveries = new EmbeddedDeliveries(database);
  const tasks = new EmbeddedTasks(database, deliveries);
  await tasks.list({ status: "failed", limit: 10 });
  await deliveries.list({ status: "failed", limit: 10 });
  await deliveries.list({ endpoint: "slack", limit: 10 });
  await deliveries.list({ endpoint: "slack", status: "failed", limit: 10 });
  await deliveries.claim("slack", { limit: 10, leaseMs: 1 });
  await deliveries.get("abcdefgh");
  await tasks.get("abcdefgh");
  assert.ok(plans.length >= 8);
  for (const detail of plans) assert.doesNotMatch(detail, /SCAN (tasks|deliveries)|TEMP B-TREE/, plans.join("\n"));
  plans.length = 0;
  await tasks.list({ limit: 10 });
  await deliveries.list({ limit: 10 });
  // In the order of the table, until the limit.
  for (const detail of plans) assert.doesNotMatch(detail, /TEMP B-TREE/);
});
