/** What a store of schedules promises, whatever its engine: the specification of `ScheduleStore`. */
import assert from "node:assert/strict";
import test from "node:test";
import { MOST_QUEUED } from "#core/ports/inbox";
import type { NewSchedule } from "#core/ports/schedules";
import { START, type StorageEngine } from "../../../helpers/storages.ts";

const at = (seconds: number) => new Date(START + seconds * 1000);

const schedule = (rest: Partial<NewSchedule> = {}): NewSchedule => ({
  name: "s",
  when: "in 10s",
  prompt: "look around",
  nextAt: at(10),
  ...rest,
});

/** The cases, each on an empty storage of the engine. */
export function schedulesCases(engine: StorageEngine): void {
  async function open() {
    const { storage, clock } = await engine.open();
    return { clock, inbox: storage.inbox, store: storage.schedules };
  }

  test("schedules are listed by their next time, of one session or of all", async () => {
    const { store } = await open();
    const later = await store.add(schedule({ nextAt: at(20), when: "*/5 * * * *" }));
    const sooner = await store.add(schedule({ nextAt: at(10) }));
    const other = await store.add(schedule({ name: "t", nextAt: at(15) }));
    assert.match(later.id, /^[a-z0-9]{16}$/);
    const listed = await store.list("s");
    assert.deepEqual(
      listed.map(({ id }) => id),
      [sooner.id, later.id],
    );
    assert.deepEqual(listed[1], { ...later, set_at: "2026-11-29T12:00:00.000Z" });
    assert.deepEqual(later, {
      id: later.id,
      name: "s",
      when: "*/5 * * * *",
      prompt: "look around",
      next_at: "2026-11-29T12:00:20.000Z",
    });
    assert.deepEqual(
      (await store.list()).map(({ id }) => id),
      [sooner.id, other.id, later.id],
    );
    assert.deepEqual(await store.find(other.id.slice(0, 12)), [other.id]);
    assert.deepEqual(await store.find("%"), []);
    assert.deepEqual([await store.remove(other.id), await store.remove(other.id)], [true, false]);
  });

  test("a schedule that is due becomes a message once, together with its next time", async () => {
    const { store, inbox, clock } = await open();
    const due = await store.add(schedule());
    clock.now = START + 10_000;
    assert.equal((await store.fire(due, at(70))).kind, "stored");
    assert.deepEqual(await store.fire(due, at(70)), { kind: "gone" }, "another process was first");
    assert.deepEqual(
      (await store.list()).map(({ next_at, set_at }) => [next_at, set_at]),
      [["2026-11-29T12:01:10.000Z", "2026-11-29T12:00:10.000Z"]],
    );
    assert.deepEqual(
      (await inbox.list("s")).map(({ source, label, content }) => [source, label, content]),
      [["schedule", due.id, "look around"]],
    );
  });

  test("one without a next time is removed with its message", async () => {
    const { store, inbox } = await open();
    const due = await store.add(schedule());
    assert.equal((await store.fire(due, null)).kind, "stored");
    assert.deepEqual(await store.list(), []);
    assert.deepEqual(await store.fire(due, null), { kind: "gone" });
    assert.equal((await inbox.list("s")).length, 1);
  });

  test("a full inbox leaves the schedule due", async () => {
    const { store, inbox } = await open();
    const due = await store.add(schedule());
    const waiting = { session: "s", source: "inject", label: "send", content: "x" } as const;
    await Promise.all(Array.from({ length: MOST_QUEUED }, () => inbox.add(waiting)));
    assert.deepEqual(await store.fire(due, null), { kind: "full" });
    assert.equal((await store.list())[0]?.next_at, due.next_at);
  });

  test("another next time is set only on what has not changed since", async () => {
    const { store } = await open();
    const added = await store.add(schedule());
    await store.move(added, at(5));
    await store.move(added, at(99));
    assert.equal((await store.list())[0]?.next_at, at(5).toISOString());
  });
}
