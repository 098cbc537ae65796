/**
 * A worker of the benchmark of PostgreSQL, in a process of its own: `postgres-worker.ts hermes|pg-boss URL`. It runs
 * tasks that do nothing and tells its parent of each that has ended, until the parent goes. Bare workers, which are told
 * of nothing, ask for work between "go" and "rest".
 */
import { EventEmitter } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import type { TaskStore } from "#core/ports/tasks";
import { postgresStorage } from "#daemon/storage/postgres/storage";
import { TaskWorker, type TaskProcess } from "#daemon/tasks/worker";

const QUEUE = "bare";
/** How many tasks a worker runs at a time. */
const CONCURRENCY = 5;
const RESULT = { status: "succeeded", exit_code: 0, ended_by: "task", error: null } as const;
const SETTINGS = { enabled: true, max_concurrent: CONCURRENCY, persist_on_restart: true };

const tell = () => void process.send!("ended");
/** A worker that is told of nothing looks for itself. */
const LOOK_MS = 2;

/** A process of a task, in name only. */
class NoOpProcess extends EventEmitter implements TaskProcess {
  readonly pid = process.pid;
  readonly stderr = null;

  kill(): boolean {
    return false;
  }
}

async function runHermes(url: string): Promise<void> {
  const storage = await postgresStorage({ url, home: `/bench/${process.pid}` });
  const processes = new Map<string, NoOpProcess>();
  const quiet = () => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: console.error, child: () => log };
  const worker = new TaskWorker({
    store: withEnds(storage.tasks, (id) => processes.get(id)!.emit("exit")),
    start({ id }) {
      const child = new NoOpProcess();
      processes.set(id, child);
      return child;
    },
    kill: quiet,
    cancel: () => Promise.resolve(),
    settings: () => SETTINGS,
    tags: [],
    concurrency: CONCURRENCY,
    reports: () => [],
    startReports: () => () => [],
    onChange: quiet,
    isWakable: true,
    log,
  });
  storage.onWake((kind) => {
    if (kind === "tasks") worker.wake();
  });
  await storage.workers.register({ tags: [], concurrency: CONCURRENCY });
  worker.wake();
}

/** The store, where each task stores its end as soon as its start is stored. */
function withEnds(tasks: TaskStore, onEnd: (id: string) => void): TaskStore {
  const end = async (id: string, attempt: number) => {
    if (await tasks.end(id, attempt, RESULT, () => [])) tell();
    onEnd(id);
  };
  return new Proxy(tasks, {
    get(store, name) {
      if (name !== "started") {
        const value = store[name as keyof TaskStore];
        return value.bind(store);
      }
      return async (...about: Parameters<TaskStore["started"]>) => {
        const isStarted = await store.started(...about);
        void end(about[0], about[1]);
        return isStarted;
      };
    },
  });
}

async function runBare(connectionString: string): Promise<void> {
  const { PgBoss } = await import("pg-boss");
  const boss = new PgBoss({ connectionString, supervise: false, schedule: false, migrate: false, max: CONCURRENCY });
  boss.on("error", (error) => console.error(error.message));
  await boss.start();
  await Promise.all(Array.from({ length: CONCURRENCY }, () => runNext()));

  async function runNext(): Promise<never> {
    for (;;) {
      // While the others are measured, it must not ask for work.
      await gate;
      const [job] = await boss.fetch(QUEUE);
      if (job === undefined) {
        await pause(LOOK_MS);
        continue;
      }
      await boss.complete(QUEUE, job.id);
      tell();
    }
  }
}

/** Closed until the parent says "go", and again when it says "rest". */
let { promise: gate, resolve: open } = Promise.withResolvers<void>();
process.on("message", (said) => {
  if (said === "go") open();
  else ({ promise: gate, resolve: open } = Promise.withResolvers<void>());
});

const [kind, url] = process.argv.slice(2);
process.once("disconnect", () => process.exit(0));
await (kind === "hermes" ? runHermes(url!) : runBare(url!));
