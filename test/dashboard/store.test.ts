import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openDatabase } from "#core/home/database";
import { until } from "../helpers/poll.ts";
import { temporaryFolder, TestDashboard } from "../helpers/dashboard.ts";

const frame = (n: number) => ({ event_type: "agent:step", context: { n }, src: "gateway" });

function stored(file: string): readonly { seq: number; context: string }[] {
  using database = new DatabaseSync(file, { readOnly: true });
  return database.prepare("SELECT seq, context FROM dashboard_events ORDER BY seq").all() as never;
}

async function sendMany(dashboard: TestDashboard, count: number): Promise<void> {
  for (let first = 0; first < count; first += 250) {
    await dashboard.ingest(Array.from({ length: Math.min(250, count - first) }, (_, index) => frame(first + index)));
  }
}

test("events survive a restart of the dashboard, and their numbers continue", async (t) => {
  const file = join(temporaryFolder(t), "state.db");
  const first = await TestDashboard.start(t, { database: openDatabase(file) });
  await first.ingest([frame(1), frame(2)]);
  const before = await first.history();
  await first.dashboard.stop();
  const second = await TestDashboard.start(t, { database: openDatabase(file) });
  assert.deepEqual(await second.history(), before);
  await second.ingest(frame(3));
  assert.deepEqual(
    (await second.history()).map(({ seq, context }) => [seq, context["n"]]),
    [
      [1, 1],
      [2, 2],
      [3, 3],
    ],
  );
  const stream = await second.stream(t, "", { ...second.bearer, "last-event-id": "1" });
  assert.equal((await stream.next()).seq, 2);
});

test("what was taken is written soon, without a stop", async (t) => {
  const file = join(temporaryFolder(t), "state.db");
  const dashboard = await TestDashboard.start(t, { database: openDatabase(file) });
  await dashboard.ingest(frame(1));
  await until(() => stored(file).length === 1, "the event is in the file");
});

test("the last 10,000 are kept, in memory and in the file", async (t) => {
  const file = join(temporaryFolder(t), "state.db");
  const dashboard = await TestDashboard.start(t, { database: openDatabase(file) });
  await sendMany(dashboard, 12_500);
  const { json } = await dashboard.get("/api/history?limit=1", dashboard.bearer);
  assert.equal(json()["oldest"], 2501);
  await dashboard.dashboard.stop();
  const rows = stored(file);
  assert.equal(rows.length, 10_000);
  assert.deepEqual([rows[0]?.seq, rows.at(-1)?.seq], [2501, 12_500]);
});

test("a few very large events do not fill the memory", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const text = "x".repeat(50_000);
  for (let count = 0; count < 100; count++) {
    const batch = Array.from({ length: 18 }, () => ({ event_type: "a:b", context: { text } }));
    assert.equal((await dashboard.ingest(batch)).status, 200);
  }
  const { json } = await dashboard.get("/api/history?limit=1", dashboard.bearer);
  const kept = 1800 - Number(json()["oldest"]);
  assert.ok(kept > 1000 && kept < 1400, `${kept} are kept`);
});

test("a read-only database causes one warning, and everything else works", async (t) => {
  const file = join(temporaryFolder(t), "state.db");
  const database = openDatabase(file);
  const dashboard = await TestDashboard.start(t, { database });
  database.exec("CREATE TRIGGER full BEFORE INSERT ON dashboard_events BEGIN SELECT raise(ABORT, 'disk is full'); END");
  await dashboard.ingest(frame(1));
  await until(() => dashboard.warnings.length > 0, "the warning");
  await sendMany(dashboard, 1000);
  assert.equal((await dashboard.history()).length, 1000);
  assert.match(dashboard.warnings.join("\n"), /^Events are kept in memory only.*disk is full/);
});

test("while another process writes, events wait for it, and nobody waits for them", async (t) => {
  const file = join(temporaryFolder(t), "state.db");
  const dashboard = await TestDashboard.start(t, { database: openDatabase(file) });
  using other = openDatabase(file);
  other.exec("BEGIN IMMEDIATE");
  await sendMany(dashboard, 1000);
  assert.equal((await dashboard.history()).length, 1000);
  const free = join(temporaryFolder(t), "state.db");
  await sendMany(await TestDashboard.start(t, { database: openDatabase(free) }), 1000);
  await until(() => stored(free).length === 1000, "another dashboard has stored what came later");
  assert.equal(stored(file).length, 0);
  other.exec("COMMIT");
  await until(() => stored(file).length === 1000, "all are written then");
  assert.deepEqual(dashboard.warnings, []);
});

test("two dashboards of one home store the events of both", async (t) => {
  const file = join(temporaryFolder(t), "state.db");
  const [one, two] = [
    await TestDashboard.start(t, { database: openDatabase(file) }),
    await TestDashboard.start(t, { database: openDatabase(file) }),
  ];
  for (let n = 0; n < 5; n++) await Promise.all([one.ingest(frame(n)), two.ingest(frame(100 + n))]);
  await one.dashboard.stop();
  await two.dashboard.stop();
  const numbers = stored(file).map(({ context }) => (JSON.parse(context) as { n: number }).n);
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    [0, 1, 2, 3, 4, 100, 101, 102, 103, 104],
  );
});
