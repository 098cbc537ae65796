/** What a store of workers promises, whatever its engine. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import test from "node:test";
import { processStartOf } from "#core/process-identity";
import type { StorageEngine } from "../../../helpers/storages.ts";

const TASK = { prompt: "p", cwd: "/", maxTurns: null, timeout: 0, submittedOn: "cli", idempotencyKey: null } as const;

export function workersCases(engine: StorageEngine): void {
  test("a worker is listed with its tasks until it ends, or is silent for 30 s", async () => {
    const { storage, clock } = await engine.open();
    const { workers, tasks } = storage;
    assert.deepEqual(await workers.list(), []);
    const first = await workers.register({ tags: ["gpu"], concurrency: 2 });
    clock.now += 1000;
    const second = await workers.register({ tags: [], concurrency: 5 });
    await tasks.submit({ ...TASK, runner: null });
    await tasks.claim({ pid: process.pid, start: processStartOf(process.pid) }, { most: 5 });
    const [{ id, ...listed }, ...others] = (await workers.list()) as [Awaited<ReturnType<typeof workers.list>>[number]];
    assert.match(id, /^[a-z0-9]{16}$/);
    assert.deepEqual(listed, {
      host: hostname(),
      pid: process.pid,
      tags: ["gpu"],
      concurrency: 2,
      running: 1,
      started_at: "2026-11-29T12:00:00.000Z",
      last_heartbeat: "2026-11-29T12:00:00.000Z",
    });
    assert.equal(others.length, 1);
    await first[Symbol.asyncDispose]();
    assert.equal((await workers.list()).length, 1);
    clock.now += 31_000;
    assert.deepEqual(await workers.list(), []);
    await second[Symbol.asyncDispose]();
  });
}
