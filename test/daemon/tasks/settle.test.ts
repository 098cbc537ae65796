import assert from "node:assert/strict";
import test from "node:test";
import { openMemoryDatabase } from "#core/home/database";
import { processStartOf } from "#core/process-identity";
import type { ProcessIdentity } from "#core/ports/tasks";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { EmbeddedTasks } from "#daemon/storage/embedded-tasks";
import { settleTasks } from "#daemon/tasks/settle";

const SELF: ProcessIdentity = { pid: process.pid, start: processStartOf(process.pid) };
/** The pid of a living process that began at another time. */
const REUSED: ProcessIdentity = { pid: process.pid, start: "1" };
const GONE: ProcessIdentity = { pid: 2 ** 22, start: "1" };
const NEW = { prompt: "p", cwd: "/", maxTurns: null, timeout: 0, submittedOn: "cli", idempotencyKey: null } as const;

interface Case {
  readonly foreground?: true;
  readonly holder?: ProcessIdentity;
  readonly runner?: ProcessIdentity;
  readonly persist?: false;
  readonly cancelled?: true;
  readonly becomes: readonly [status: string, attempt: number, ended_by: string | null];
}

const CASES: Readonly<Record<string, Case>> = {
  "its process runs": { runner: SELF, becomes: ["running", 1, null] },
  "its process is about to be started": { becomes: ["running", 1, null] },
  "its process is gone": { runner: GONE, becomes: ["queued", 2, "crash"] },
  "its pid belongs to another process now": { runner: REUSED, becomes: ["queued", 2, "crash"] },
  "its worker is gone before it started a process": { holder: GONE, becomes: ["queued", 2, "crash"] },
  "its process is gone, and it is not to be run again": { runner: GONE, persist: false, becomes: ["lost", 1, "crash"] },
  "its process is gone, in the foreground": { foreground: true, runner: GONE, becomes: ["lost", 1, "crash"] },
  "its process is gone while it was being cancelled": {
    runner: GONE,
    cancelled: true,
    becomes: ["cancelled", 1, "user"],
  },
};

const open = () => {
  const database = openMemoryDatabase();
  return new EmbeddedTasks(database, new EmbeddedDeliveries(database));
};

for (const [name, { foreground, holder = SELF, runner, persist = true, cancelled, becomes }] of Object.entries(CASES)) {
  test(`a running task: ${name}`, async () => {
    const store = open();
    const { id } = await store.submit({ ...NEW, runner: foreground ? runner! : null });
    if (!foreground) await store.claim(holder, { most: 5 });
    if (runner !== undefined && !foreground) await store.started(id, 1, runner, () => []);
    if (cancelled) await store.cancel(id);
    const settled = await settleTasks(store, { persist, reports: () => [] });
    assert.equal(settled, becomes[0] === "running" ? 0 : 1);
    const task = await store.get(id);
    assert.deepEqual([task?.status, task?.attempt, task?.ended_by], becomes);
  });
}

test("a task that was run again and is gone once more is lost", async () => {
  const store = open();
  const { id } = await store.submit({ ...NEW, runner: null });
  for (const attempt of [1, 2]) {
    await store.claim(SELF, { most: 5 });
    await store.started(id, attempt, GONE, () => []);
    await settleTasks(store, { persist: true, reports: () => [] });
  }
  const task = await store.get(id);
  assert.deepEqual([task?.status, task?.attempt, task?.ended_by], ["lost", 2, "crash"]);
});
