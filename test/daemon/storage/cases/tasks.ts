/** What a store of tasks promises, whatever its engine: the specification of `TaskStore`. */
import assert from "node:assert/strict";
import test from "node:test";
import type { NewTask, TaskResult } from "#core/ports/tasks";
import type { StorageEngine } from "../../../helpers/storages.ts";

const WORKER = { pid: 11, start: "1" };
const PROCESS = { pid: 22, start: "2" };
const NO_REPORTS = () => [];

const task = (rest: Partial<NewTask> = {}): NewTask => ({
  prompt: "say hello",
  cwd: "/tmp",
  maxTurns: null,
  timeout: 60,
  submittedOn: "cli",
  idempotencyKey: null,
  runner: null,
  ...rest,
});
const result = (rest: Partial<TaskResult> = {}): TaskResult => ({
  status: "succeeded",
  exit_code: 0,
  ended_by: "task",
  error: null,
  ...rest,
});

/** Runs the cases on an engine. */
export function taskCases(engine: StorageEngine): void {
  test("a task is queued, claimed, started, ended, and says so at each step", async () => {
    const bench = await engine.open();
    const { clock } = bench;
    const { tasks: store } = bench.storage;
    const { id, ...queued } = await store.submit(task());
    assert.match(id, /^[a-z0-9]{16}$/);
    assert.deepEqual(queued, {
      status: "queued",
      prompt: "say hello",
      created_at: "2026-11-29T12:00:00.000Z",
      started_at: null,
      ended_at: null,
      duration_seconds: null,
      attempt: 1,
      position: 1,
      session_id: null,
      platform: "task",
      cwd: "/tmp",
      tokens_used: null,
      tools_called: null,
      exit_code: null,
      ended_by: null,
      error: null,
      pid: null,
    });
    const [claimed] = await store.claim(WORKER, { most: 5 });
    assert.deepEqual(claimed, {
      id,
      prompt: "say hello",
      cwd: "/tmp",
      attempt: 1,
      isFirstStart: true,
      maxTurns: null,
      timeout: 60,
      submittedOn: "cli",
    });
    assert.equal(await store.started(id, 1, PROCESS, NO_REPORTS), true);
    clock.now += 2500;
    const running = await store.get(id);
    assert.deepEqual(
      [running?.status, running?.pid, running?.duration_seconds, running?.position],
      ["running", 22, 2.5, null],
    );
    await store.record(id, 1, { session_id: "s", tokens_used: 7, tools_called: 2, calls: { terminal: 2 } });
    assert.equal(await store.end(id, 1, result(), NO_REPORTS), true);
    const ended = await store.get(id);
    assert.deepEqual(
      [ended?.status, ended?.ended_at, ended?.tokens_used, ended?.tools_called, ended?.exit_code, ended?.pid],
      ["succeeded", "2026-11-29T12:00:02.500Z", 7, 2, 0, null],
    );
    assert.equal(await store.end(id, 1, result({ status: "failed" }), NO_REPORTS), false, "it is over");
  });

  test("the oldest is handed out first, and no more at a time than allowed", async () => {
    const bench = await engine.open();
    const { tasks: store } = bench.storage;
    const ids = [];
    for (let number = 0; number < 3; number++) ids.push((await store.submit(task())).id);
    await store.submit(task({ runner: PROCESS }));
    assert.deepEqual(
      [(await store.claim(WORKER, { most: 2 }))[0]?.id, (await store.claim(WORKER, { most: 2 }))[0]?.id],
      ids.slice(0, 2),
    );
    assert.equal(
      (await store.claim(WORKER, { most: 2 })).length,
      0,
      "a task in the foreground does not count, two others do",
    );
    assert.equal((await store.get(ids[2]!))?.position, 1);
    await store.end(ids[0]!, 1, result(), NO_REPORTS);
    assert.equal((await store.claim(WORKER, { most: 2 }))[0]?.id, ids[2]);
    await store.end(ids[1]!, 1, result(), NO_REPORTS);
    const more = [];
    for (let number = 0; number < 4; number++) more.push((await store.submit(task())).id);
    const several = await store.claim(WORKER, { most: 4, limit: 9 });
    assert.deepEqual(
      several.map(({ id }) => id),
      more.slice(0, 3),
      "one still runs",
    );
    assert.deepEqual(await store.claim(WORKER, { most: 5, limit: 0 }), []);
  });

  test("one idempotency key is one task, whatever has become of it", async () => {
    const bench = await engine.open();
    const { tasks: store } = bench.storage;
    const first = await store.submit(task({ idempotencyKey: "k" }));
    await store.cancel(first.id);
    const again = await store.submit(task({ idempotencyKey: "k", prompt: "another" }));
    assert.deepEqual([again.id, again.status, again.prompt], [first.id, "cancelled", "say hello"]);
    assert.notEqual((await store.submit(task())).id, (await store.submit(task())).id);
  });

  test("a task and where its report goes are stored together or not at all", async () => {
    const bench = await engine.open();
    const { tasks: store } = bench.storage;
    await bench.refuseReports();
    await assert.rejects(store.submit(task({ reportTo: "watcher" })), /no report/);
    assert.deepEqual(await store.list({}), []);
    assert.equal((await store.submit(task())).status, "queued");
  });

  test("after a shutdown it is the same attempt, after a crash the next one, taken up once", async () => {
    const bench = await engine.open();
    const { tasks: store } = bench.storage;
    const { id } = await store.submit(task());
    await store.claim(WORKER, { most: 5 });
    await store.putBack(id, 1, "shutdown");
    const after = await store.get(id);
    assert.deepEqual([after?.status, after?.attempt, after?.ended_by], ["queued", 1, "shutdown"]);
    await store.claim(WORKER, { most: 5 });
    assert.equal((await store.running())[0]?.mayBeTakenUp, true);
    await store.putBack(id, 1, "crash");
    await store.claim(WORKER, { most: 5 });
    const [again] = await store.running();
    assert.deepEqual([again?.attempt, again?.mayBeTakenUp], [2, false]);
    assert.equal(await store.putBack(id, 1, "crash"), false, "that attempt is over");
  });

  test("cancelling ends a queued task and asks for the end of a running one; retry is for ended ones", async () => {
    const bench = await engine.open();
    const { tasks: store } = bench.storage;
    const { id } = await store.submit(task());
    assert.equal(await store.retry(id), false);
    assert.equal(await store.cancel(id), "queued");
    const cancelled = await store.get(id);
    assert.deepEqual([cancelled?.status, cancelled?.exit_code, cancelled?.ended_by], ["cancelled", 130, "user"]);
    assert.equal(await store.cancel(id), "cancelled");
    assert.equal(await store.retry(id), true);
    const again = await store.get(id);
    assert.deepEqual([again?.status, again?.attempt, again?.exit_code, again?.ended_at], ["queued", 2, null, null]);
    await store.claim(WORKER, { most: 5 });
    assert.equal(await store.cancel(id), "running");
    assert.equal((await store.running())[0]?.cancelRequested, true);
    assert.equal(await store.cancel("missing"), undefined);
  });

  test("only tasks that ended long enough ago are pruned", async () => {
    const bench = await engine.open();
    const { clock } = bench;
    const { tasks: store } = bench.storage;
    const [old, fresh] = [await store.submit(task()), await store.submit(task())];
    const waiting = await store.submit(task());
    await store.cancel(old.id);
    clock.now += 10_000;
    await store.cancel(fresh.id);
    assert.deepEqual(await store.prune(9999), [old.id]);
    assert.deepEqual(
      (await store.list({})).map(({ id }) => id),
      [waiting.id, fresh.id],
    );
    assert.deepEqual(
      (await store.list({ status: "queued" })).map(({ id }) => id),
      [waiting.id],
    );
    assert.deepEqual(await store.find(fresh.id.slice(0, 8)), [fresh.id]);
  });

  test("the clock set back an hour changes neither the order nor what a task came to", async () => {
    const bench = await engine.open();
    const { clock } = bench;
    const { tasks: store } = bench.storage;
    const first = await store.submit(task());
    clock.now -= 3_600_000;
    const second = await store.submit(task());
    assert.equal((await store.claim(WORKER, { most: 9 }))[0]?.id, first.id, "first come, first served");
    await store.started(first.id, 1, PROCESS, NO_REPORTS);
    clock.now -= 3_600_000;
    assert.equal((await store.get(first.id))?.duration_seconds, 0);
    assert.equal(await store.end(first.id, 1, result(), NO_REPORTS), true);
    assert.deepEqual(
      [(await store.get(first.id))?.duration_seconds, (await store.get(first.id))?.status],
      [0, "succeeded"],
    );
    assert.equal((await store.claim(WORKER, { most: 9 }))[0]?.id, second.id);
    assert.deepEqual(
      (await store.list({})).map(({ id }) => id),
      [second.id, first.id],
    );
    assert.deepEqual(await store.prune(86_400_000), [], "nothing is old");
  });

  test("a change and its reports are stored together or not at all", async () => {
    const bench = await engine.open();
    const { tasks: store, deliveries } = bench.storage;
    const report = (event: string) => () => [{ event, endpoint: "e", payload: "{}" }];
    const { id } = await store.submit(task());
    await store.claim(WORKER, { most: 5 });
    await store.started(id, 1, PROCESS, report("task_started"));
    await store.putBack(id, 1, "crash");
    await store.claim(WORKER, { most: 5 });
    await store.started(id, 2, PROCESS, report("task_started"));
    await assert.rejects(
      store.end(id, 2, result(), () => {
        throw new Error("no report");
      }),
      /no report/,
    );
    assert.equal((await store.get(id))?.status, "running", "the end was taken back");
    await store.end(id, 1, result(), report("late"));
    await store.end(id, 2, result(), report("task_completed"));
    const events = (await deliveries.list({})).map(({ event }) => event);
    assert.deepEqual(events, ["task_completed", "task_started"]);
  });
}
