/** The API for daemons: those that run, what waits for those that do not, inboxes and schedules. */
import { embeddedStorage } from "#daemon/storage/embedded";
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { createDaemonDesk } from "#cli/daemon/desk";
import { createTaskDesk } from "#cli/tasks/desk";
import { openDatabase } from "#core/home/database";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { EmbeddedInbox } from "#daemon/storage/embedded-inbox";
import { EmbeddedSchedules } from "#daemon/storage/embedded-schedules";
import { announced } from "../helpers/announced-daemon.ts";
import { noReplays, noSessions, temporaryFolder, TestDashboard } from "../helpers/dashboard.ts";

const SECRET = "hunter2hunter2";
const WITHOUT = { persist: () => true, deliveriesFor: () => [] };

async function start(t: TestContext) {
  const folder = temporaryFolder(t);
  const run = join(folder, "run");
  const database = openDatabase(join(folder, "state.db"));
  const redact = (text: string) => text.replaceAll(SECRET, "[redacted]");
  const inbox = new EmbeddedInbox(database);
  const schedules = new EmbeddedSchedules(database, inbox);
  const stored = {
    sessions: noSessions,
    replays: noReplays,
    tasks: createTaskDesk({ storage: async () => embeddedStorage(database), folder, redact, ...WITHOUT }),
    deliveries: new EmbeddedDeliveries(database),
    daemons: createDaemonDesk({ storage: async () => embeddedStorage(database), run, redact }),
  };
  const dashboard = await TestDashboard.start(t, { database, folder, stored });
  const get = async (path: string) => {
    const { status, json } = await dashboard.get(path, dashboard.bearer);
    return { status, body: json() };
  };
  const rows = async (path: string, key: string) => (await get(path)).body[key] as Record<string, unknown>[];
  const inboxOf = (name: string, more = "") => `/api/daemons/inbox?name=${encodeURIComponent(name)}${more}`;
  return { run, database, inbox, schedules, dashboard, get, rows, inboxOf };
}

test("those that run come first, with their hooks; then those for which something waits", async (t) => {
  const { run, inbox, schedules, get, rows } = await start(t);
  assert.deepEqual(await get("/api/daemons"), { status: 200, body: { daemons: [], schedules: [] } });
  const address = { name: "push", url: `http://127.0.0.1:9876/${SECRET}`, verify: "github" };
  await announced(t, run, "watcher", {
    state: "running",
    queued: 3,
    hooks: ["push", "unserved"],
    addresses: [address],
  });
  await inbox.add({ session: "asleep", source: "inject", label: "send", content: "later" });
  await inbox.add({ session: "over", source: "inject", label: "send", content: "past" });
  await inbox.end(
    [(await inbox.claim({ session: "over", holder: { pid: 1, start: null }, order: "fifo" }))!.id],
    "done",
  );
  const nextAt = new Date(Date.now() + 60_000);
  for (const [name, at] of [
    ["planned", nextAt],
    ["planned", new Date(Date.now() + 90_000)],
    ["watcher", nextAt],
  ] as const)
    await schedules.add({ name, when: "in 1m", prompt: `say ${SECRET}`, nextAt: at });
  const daemons = await rows("/api/daemons", "daemons");
  assert.deepEqual(
    daemons.map(({ name, state, queued, next_at }) => [name, state, queued, next_at]),
    [
      ["watcher", "running", 3, nextAt.toISOString()],
      ["asleep", "stopped", 1, null],
      ["planned", "stopped", 0, nextAt.toISOString()],
    ],
  );
  const [watcher, asleep] = daemons;
  assert.deepEqual(watcher?.["hooks"], [
    { name: "push", url: "http://127.0.0.1:9876/[redacted]", verify: "github" },
    { name: "unserved", url: null, verify: null },
  ]);
  assert.deepEqual([watcher?.["pid"], watcher?.["session_id"]], [process.pid, "session-of-7"]);
  assert.deepEqual([asleep?.["pid"], asleep?.["session_id"], asleep?.["started_at"]], [null, null, null]);
  const listed = await rows("/api/daemons", "schedules");
  assert.deepEqual(
    listed.map(({ name, when, prompt }) => [name, when, prompt]),
    [
      ["planned", "in 1m", "say [redacted]"],
      ["watcher", "in 1m", "say [redacted]"],
      ["planned", "in 1m", "say [redacted]"],
    ],
  );
});

test("an inbox: newest first, filtered, cut and without secrets", async (t) => {
  const { inbox, schedules, rows, get, inboxOf } = await start(t);
  for (let number = 0; number < 130; number++) {
    const content = `${number} ${SECRET} ${"x".repeat(3000)}`;
    await inbox.add({ session: "w", source: number % 2 === 0 ? "inject" : "webhook", label: `l ${SECRET}`, content });
  }
  await schedules.add({ name: "w", when: "in 1m", prompt: "mine", nextAt: new Date() });
  await schedules.add({ name: "other", when: "in 1m", prompt: "not mine", nextAt: new Date() });
  const claimed = await inbox.claim({ session: "w", holder: { pid: 1, start: null }, order: "fifo" });
  const messages = await rows(inboxOf("w"), "messages");
  assert.equal(messages.length, 100);
  assert.match(String(messages[0]?.["content"]), /^129 \[redacted\] x{900,1000}…$/);
  assert.equal(messages[0]?.["label"], "l [redacted]");
  assert.equal((await rows(inboxOf("w", "&limit=7"), "messages")).length, 7);
  const running = await rows(inboxOf("w", "&state=running"), "messages");
  assert.deepEqual(
    running.map(({ id, state }) => [id, state]),
    [[claimed?.id, "running"]],
  );
  const { body } = await get(inboxOf("w"));
  assert.deepEqual(body["queued"], { schedule: 0, background: 0, skill: 0, inject: 64, webhook: 65 });
  assert.deepEqual(
    (body["schedules"] as { prompt: string }[]).map(({ prompt }) => prompt),
    ["mine"],
  );
  // What a crash has cut waits for the next start, too.
  assert.equal((body["daemon"] as { queued: number }).queued, 130);
});

test("a name may hold anything; past messages alone are found by name", async (t) => {
  const { run, inbox, get, inboxOf } = await start(t);
  const name = "../a/b?c=1&d#e %2e 日本語 <b>";
  await announced(t, run, name);
  assert.equal((await get(inboxOf(name))).status, 200);
  await inbox.add({ session: "over", source: "inject", label: "send", content: "past" });
  await inbox.end(
    [(await inbox.claim({ session: "over", holder: { pid: 1, start: null }, order: "fifo" }))!.id],
    "done",
  );
  const { status, body } = await get(inboxOf("over"));
  assert.deepEqual([status, (body["daemon"] as { state: string }).state], [200, "stopped"]);
});

test("one that does not answer is shown as running, with what waits in the database", async (t) => {
  const { run, inbox, rows } = await start(t);
  await announced(t, run, "busy", { isSilent: true });
  await inbox.add({ session: "busy", source: "inject", label: "send", content: "x" });
  const [busy] = await rows("/api/daemons", "daemons");
  assert.deepEqual([busy?.["name"], busy?.["state"], busy?.["queued"]], ["busy", "running", 1]);
});

test("it is behind the sign-in, only reads, and names mistakes", async (t) => {
  const { dashboard, get, database, inboxOf } = await start(t);
  for (const path of ["/api/daemons", inboxOf("w")]) {
    assert.equal((await dashboard.get(path)).status, 401, path);
    assert.equal((await dashboard.get(path, { cookie: await dashboard.signIn() })).status < 405, true, path);
    assert.equal((await dashboard.post(path, {}, dashboard.bearer)).status, 404, path);
  }
  const wrong: [path: string, status: number][] = [
    ["/api/daemons/inbox", 400],
    ["/api/daemons/inbox?name=a&name=b", 400],
    [inboxOf("nobody"), 404],
    [inboxOf("nobody", "&state=gone"), 400],
    [inboxOf("nobody", "&limit=x"), 400],
  ];
  for (const [path, status] of wrong) assert.equal((await get(path)).status, status, path);
  database.exec("DROP TABLE schedules");
  assert.equal((await get("/api/daemons")).status, 503);
  assert.match(dashboard.log.join("\n"), /no such table: schedules/);
});
