/** What several machines with one PostgreSQL may rely on. Each is a home with an identity of its own. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { Storage } from "#core/ports/storage";
import { processStartOf } from "#core/process-identity";
import type { LeaseTimes } from "#daemon/storage/postgres/lease";
import { postgresStorage } from "#daemon/storage/postgres/storage";
import { settleTasks } from "#daemon/tasks/settle";
import { startCuttable } from "../../../helpers/cuttable.ts";
import { until } from "../../../helpers/poll.ts";
import type { PostgresServer } from "../../../helpers/postgres.ts";
import { NEW_TASK } from "./new-task.ts";

const SELF = { pid: process.pid, start: processStartOf(process.pid) };
const GONE = { pid: 2 ** 22, start: "1" };
const SUCCEEDED = { status: "succeeded", exit_code: 0, ended_by: "task", error: null } as const;
const NO_REPORTS = () => [];
const REPORT = () => [{ event: "task_completed", endpoint: "e", payload: "{}" }];

export function machinesCases(server: PostgresServer): void {
  /** Opens an empty database as each machine; `ports` lead there by another way. */
  async function open<Name extends string>(
    t: TestContext,
    names: readonly Name[],
    { lease, ports = {} }: { lease?: LeaseTimes; ports?: Partial<Record<Name, number>> } = {},
  ): Promise<Record<Name, Storage>> {
    const name = new URL(await server.createDatabase()).pathname.slice(1);
    const opened = names.map(async (host) => {
      const machine = { host, space: host, home: `${host}:/home` };
      const url = server.urlOf(name, { port: ports[host] ?? server.port });
      const storage = await postgresStorage({ url, home: "/home", machine, lease });
      t.after(() => storage[Symbol.asyncDispose]());
      return [host, storage] as const;
    });
    // At the same time: both find an empty database.
    return Object.fromEntries(await Promise.all(opened)) as Record<Name, Storage>;
  }

  test("machines that claim side by side get each task once, and each no more than its own limit", async (t) => {
    const { a, b } = await open(t, ["a", "b"]);
    const ids = await Promise.all(Array.from({ length: 12 }, async () => (await a.tasks.submit(NEW_TASK)).id));
    const claims = await Promise.all(
      Array.from({ length: 12 }, (_, number) => (number % 2 === 0 ? a : b).tasks.claim(SELF, { most: 4 })),
    );
    const claimed = claims.flat().map(({ id }) => id);
    assert.equal(new Set(claimed).size, 8, "four each, none twice");
    const running = await a.tasks.list({ status: "running" });
    assert.deepEqual(
      ["a", "b"].map((name) => running.filter(({ host }) => host === name).length),
      [4, 4],
    );
    for (const id of claimed) assert.equal(await b.tasks.end(id, 1, SUCCEEDED, NO_REPORTS), true);
    claimed.push(...(await b.tasks.claim(SELF, { most: 20, limit: 20 })).map(({ id }) => id));
    assert.deepEqual(claimed.toSorted(), ids.toSorted());
  });

  test("tagged tasks are taken by workers with the tag only, the oldest of all first", async (t) => {
    const { a, b } = await open(t, ["a", "b"]);
    const gpu = await a.tasks.submit({ ...NEW_TASK, tag: "gpu" });
    const plain = await a.tasks.submit(NEW_TASK);
    const other = await a.tasks.submit({ ...NEW_TASK, tag: "GPU" });
    assert.deepEqual([gpu.tag, gpu.position, plain.position], ["gpu", 1, 1]);
    assert.deepEqual([await b.tasks.queued(), await b.tasks.queued(["gpu"])], [1, 2]);
    assert.equal((await b.tasks.claim(SELF, { most: 9, tags: ["gpu"] }))[0]?.id, gpu.id);
    assert.equal((await b.tasks.claim(SELF, { most: 9 }))[0]?.id, plain.id);
    assert.deepEqual(await b.tasks.claim(SELF, { most: 9, tags: ["gpu"] }), []);
    await b.tasks.putBack(gpu.id, 1, "shutdown");
    assert.equal((await a.tasks.claim(SELF, { most: 9, tags: ["gpu", "GPU"] }))[0]?.id, gpu.id, "put back ahead");
    assert.equal((await a.tasks.claim(SELF, { most: 9, tags: ["gpu", "GPU"] }))[0]?.id, other.id);
  });

  test("a machine whose lease is over loses its attempt, once, and does not report", async (t) => {
    const proxy = await startCuttable(t, server.port);
    const lease = { leaseMs: 1500, renewMs: 100, marginMs: 300 };
    const ports = { a: Number(new URL(proxy.url).port) };
    const { a, b } = await open(t, ["a", "b"], { lease, ports });
    const { id } = await b.tasks.submit(NEW_TASK);
    await a.tasks.claim(SELF, { most: 1 });
    await a.tasks.started(id, 1, SELF, NO_REPORTS);
    const lost: string[] = [];
    const kept = a.tasks.keep(id, 1, { onLost: (why) => lost.push(why), onCancel: () => undefined });
    t.after(() => kept[Symbol.dispose]());
    const started = performance.now();
    await until(() => performance.now() - started > lease.leaseMs * 1.5, "more than a lease passes");
    assert.equal((await b.tasks.running())[0]?.isAlive, true, "it is renewed");
    assert.equal(await settleTasks(b.tasks, { persist: true, reports: REPORT }), 0);
    proxy.hang();
    await until(() => lost.length > 0, "its process gives it up");
    await until(async () => (await b.tasks.running())[0]?.isAlive === false, "the others see it");
    assert.deepEqual(lost, ["expired"]);
    const settled = await Promise.all([1, 2].map(() => settleTasks(b.tasks, { persist: true, reports: REPORT })));
    assert.ok(settled.includes(1));
    const [again] = await b.tasks.claim(SELF, { most: 1 });
    assert.deepEqual([again?.id, again?.attempt], [id, 2]);
    proxy.cut();
    proxy.mend();
    assert.equal(await a.tasks.end(id, 1, SUCCEEDED, REPORT), false, "that attempt is over");
    assert.equal(await b.tasks.end(id, 2, SUCCEEDED, REPORT), true);
    assert.equal((await b.deliveries.list({})).length, 1);
    assert.equal((await a.tasks.get(id))?.host, "b");
  });

  test("a process that is known to be gone is dead at once, one of another machine when its lease is over", async (t) => {
    const { a, b } = await open(t, ["a", "b"]);
    const { id } = await a.tasks.submit(NEW_TASK);
    await a.tasks.claim(GONE, { most: 1 });
    assert.deepEqual(
      [await a.tasks.running(), await b.tasks.running()].map(([task]) => [task?.isHere, task?.isAlive]),
      [
        [true, false],
        [false, true],
      ],
    );
    await settleTasks(b.tasks, { persist: true, reports: NO_REPORTS });
    assert.equal((await b.tasks.get(id))?.status, "running");
    await settleTasks(a.tasks, { persist: true, reports: NO_REPORTS });
    assert.deepEqual([(await b.tasks.get(id))?.status, (await b.tasks.get(id))?.attempt], ["queued", 2]);
  });

  test("the clock of a machine, an hour ahead, counts for nothing", async (t) => {
    const { a, b } = await open(t, ["a", "b"]);
    const { now } = Date;
    t.mock.method(Date, "now", () => now() + 3_600_000);
    const { id } = await a.tasks.submit(NEW_TASK);
    await a.tasks.claim(SELF, { most: 1 });
    const listed = await a.workers.register({ tags: [], concurrency: 1 });
    t.after(() => listed[Symbol.asyncDispose]());
    t.mock.restoreAll();
    const task = await b.tasks.get(id);
    assert.ok(Math.abs(Date.parse(task!.created_at) - Date.now()) < 1_800_000, task?.created_at);
    assert.equal((await b.tasks.running())[0]?.isAlive, true);
    assert.deepEqual(
      (await b.workers.list()).map(({ host, running }) => [host, running]),
      [["a", 1]],
    );
    await a.tasks.end(id, 1, SUCCEEDED, NO_REPORTS);
    assert.deepEqual(await b.tasks.prune(1_800_000), []);
  });

  test("a task is cancelled from another machine, and what it printed is read there", async (t) => {
    const { a, b } = await open(t, ["a", "b"]);
    const heard: string[] = [];
    a.onWake((kind) => heard.push(kind));
    await until(() => heard.length >= 3, "it listens");
    const { id } = await b.tasks.submit(NEW_TASK);
    await a.tasks.claim(SELF, { most: 1 });
    const output = a.outputs.writer(id, 1)!;
    output.add('{"type":"one"}');
    await until(async () => (await b.outputs.read(id))?.lines.length === 1, "a line is there");
    output.add('{"type":"two"}');
    await output.close();
    const [first, all] = [(await b.outputs.read(id, 0))!, (await b.outputs.read(id))!];
    assert.deepEqual(all.lines, ['{"type":"one"}', '{"type":"two"}']);
    assert.deepEqual((await b.outputs.read(id, first.next))?.lines, []);
    assert.equal(await a.outputs.read(id), undefined, "there are files");
    heard.length = 0;
    let cancelled = 0;
    const kept = a.tasks.keep(id, 1, { onLost: () => undefined, onCancel: () => cancelled++ });
    t.after(() => kept[Symbol.dispose]());
    assert.equal(await b.tasks.cancel(id), "running");
    await until(() => heard.includes("tasks"), "its worker hears of it");
    const [here] = await a.tasks.running();
    assert.deepEqual([here?.cancelRequested, here?.isHere, here?.isEndedHere], [true, true, false]);
    assert.deepEqual([(await b.tasks.running())[0]?.isHere, (await b.tasks.running())[0]?.isEndedHere], [false, true]);
    const again = a.tasks.keep(id, 1, { onLost: () => undefined, onCancel: () => cancelled++ });
    t.after(() => again[Symbol.dispose]());
    await until(() => cancelled > 0, "its process hears of it");
    await a.tasks.end(id, 1, { status: "cancelled", exit_code: 130, ended_by: "user", error: null }, NO_REPORTS);
    assert.deepEqual(await b.tasks.prune(-60_000), [id]);
    assert.equal(await b.outputs.read(id), undefined);
  });
}
