import assert from "node:assert/strict";
import test from "node:test";
import { openMemoryDatabase } from "#core/home/database";
import { MOST_QUEUED } from "#core/ports/inbox";
import { addSchedule } from "#daemon/schedules/add";
import { ScheduleClock } from "#daemon/schedules/schedule-clock";
import { EmbeddedInbox } from "#daemon/storage/embedded-inbox";
import { EmbeddedSchedules } from "#daemon/storage/embedded-schedules";

const START = new Date(2026, 5, 1, 12, 0, 30).getTime();
const HOUR = 3_600_000;
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log };

function open() {
  const clock = { now: START };
  const database = openMemoryDatabase();
  const inbox = new EmbeddedInbox(database, () => clock.now);
  const store = new EmbeddedSchedules(database, inbox, () => clock.now);
  const onMessage = () => undefined;
  const looked = new ScheduleClock({ name: "s", store, onMessage, log, now: async () => clock.now });
  const add = (when: string) => addSchedule(store, { name: "s", when, prompt: when }, new Date(clock.now));
  const messages = async () => (await inbox.list("s")).map(({ content }) => content);
  /** Looks at this time, in milliseconds from the start, without keeping a timer. */
  async function lookAt(ms: number): Promise<string[]> {
    clock.now = START + ms;
    await looked.look();
    return messages();
  }
  return { clock, inbox, store, add, lookAt, stop: () => looked.stop() };
}

test("a delay comes once, cron again and again, each once for what was missed", async (t) => {
  const { add, lookAt, store, stop } = open();
  t.after(stop);
  await add("in 10s");
  await add("* * * * *");
  assert.deepEqual(await lookAt(9_999), []);
  assert.deepEqual(await lookAt(10_000), ["in 10s"]);
  assert.deepEqual(await lookAt(30_000), ["in 10s", "* * * * *"]);
  assert.deepEqual(await lookAt(5 * HOUR), ["in 10s", "* * * * *", "* * * * *"]);
  assert.deepEqual(await lookAt(5 * HOUR + 1), ["in 10s", "* * * * *", "* * * * *"]);
  const [left, ...others] = await store.list("s");
  assert.deepEqual(others, []);
  assert.equal(Date.parse(left!.next_at), START + 5 * HOUR + 30_000);
});

test("what is due while the inbox is full waits for room", async (t) => {
  const { add, inbox, lookAt, stop } = open();
  t.after(stop);
  await add("in 1s");
  const waiting = { session: "s", source: "inject", label: "send", content: "x" } as const;
  for (let number = 0; number < MOST_QUEUED; number++) await inbox.add(waiting);
  assert.ok(!(await lookAt(5000)).includes("in 1s"));
  await inbox.claim({ session: "s", holder: { pid: 1, start: null }, order: "priority" });
  assert.ok((await lookAt(6000)).includes("in 1s"));
});

test("with the clock set back an hour, delays keep what was left, cron follows the new clock, a date stays", async (t) => {
  const { add, lookAt, store, stop } = open();
  t.after(stop);
  await add("in 10m");
  await add("*/5 * * * *");
  const at = new Date(START + 2 * HOUR).toISOString();
  await add(at);
  await lookAt(-HOUR);
  const next = Object.fromEntries(
    (await store.list("s")).map(({ when, next_at }) => [when, Date.parse(next_at) - START]),
  );
  assert.deepEqual(next, { "in 10m": -HOUR + 600_000, "*/5 * * * *": -HOUR + 270_000, [at]: 2 * HOUR });
});

test("a session has at most 200 schedules", async () => {
  const { add } = open();
  for (let number = 0; number < 200; number++) await add("in 1h");
  await assert.rejects(add("in 1h"), { code: "HERMES_SCHEDULES_FULL" });
});
