/** The worker of a home, as `hermes worker` and `hermes serve` have it: found by others, running the queued tasks. */
import { HermesError, problemOf } from "#core/errors";
import type { Config } from "#core/home/config";
import type { Log } from "#core/home/log";
import type { HomePaths } from "#core/home/paths";
import type { Storage } from "#core/ports/storage";
import type { ClaimedTask } from "#core/ports/tasks";
import { reportEnd, reportStart, type DeliveriesFor } from "#daemon/tasks/events";
import { removeOutput } from "#daemon/tasks/output";
import { TaskWorker } from "#daemon/tasks/worker";
import { descendantsOf, startCompanion } from "#sandbox/process/companion";
import { endTask } from "./end-task.ts";
import { openWakeSocket } from "../wake-sockets.ts";

export interface HomeWorkerOptions {
  readonly paths: Pick<HomePaths, "home" | "run" | "tasks">;
  readonly storage: Pick<Storage, "tasks" | "workers" | "onWake">;
  /** Tags of tasks that it takes beside those without one. */
  readonly tags?: readonly string[];
  /** The most tasks that it runs at a time; by default as many as the home may run. */
  readonly concurrency?: number | undefined;
  /** The settings of now. */
  readonly settings: () => Config["values"]["background"];
  /** Called before tasks are claimed: the settings may have changed. */
  readonly refresh?: () => Promise<void>;
  readonly deliveriesFor: DeliveriesFor;
  /** Looks for deliveries: some were stored, or another process asks. */
  readonly onDeliveries: () => void;
  readonly log: Log;
  /** The environment of tasks. */
  readonly env: NodeJS.ProcessEnv;
}

export interface HomeWorker extends AsyncDisposable {
  /** Takes tasks from now on; before, it only answers that it is there. */
  start(): Promise<void>;
  /** How long it has had nothing to run, in milliseconds. */
  readonly idleMs: number;
  /** The number of running tasks. */
  readonly active: number;
  /** Takes no more tasks, and gives the running ones their time. Resolves when they have ended or are queued again. */
  stop(): Promise<void>;
  /** Interrupts the running tasks at once. */
  hurry(): void;
}

const DAY_MS = 86_400_000;

/** From now on others find this worker and start no other. Throws HERMES_WORKER_START when `run/` cannot be written. */
export async function openWorker(options: HomeWorkerOptions): Promise<HomeWorker> {
  const { paths, storage, settings, refresh, deliveriesFor, onDeliveries, log, env, tags = [] } = options;
  const { tasks: store } = storage;
  await using undo = new AsyncDisposableStack();
  let isStarted = false;
  const wakeTasks = () => {
    if (isStarted) worker.wake();
  };
  const place = undo.use(
    await announce(paths.run, () => {
      wakeTasks();
      onDeliveries();
    }),
  );
  undo.use(storage.onWake((kind) => (kind === "tasks" ? wakeTasks() : kind === "deliveries" && onDeliveries())));
  const worker = new TaskWorker({
    store,
    start: (task) => startTask(task, paths.home, env),
    kill: killTask,
    cancel: (id) => endTask(store, id, () => undefined),
    tags,
    concurrency: options.concurrency ?? Number.POSITIVE_INFINITY,
    settings,
    refresh,
    reports: reportEnd(deliveriesFor),
    startReports: ({ submittedOn }) => reportStart(deliveriesFor, submittedOn),
    onChange: onDeliveries,
    isWakable: place.isWakable,
    log,
  });
  undo.defer(() => worker.stop());
  const disposal = undo.move();
  return {
    async start() {
      disposal.use(await storage.workers.register({ tags, concurrency: concurrencyOf(options) }));
      await removeOld(options);
      isStarted = true;
      worker.wake();
    },
    get idleMs() {
      return worker.idleMs;
    },
    get active() {
      return worker.active;
    },
    stop: () => worker.stop(),
    hurry: () => worker.hurry(),
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}

/** What it can run at a time, as its start has it. */
function concurrencyOf({ concurrency, settings }: HomeWorkerOptions): number {
  return Math.min(concurrency ?? Number.POSITIVE_INFINITY, settings().max_concurrent);
}

async function removeOld({ storage, settings, paths, log }: HomeWorkerOptions): Promise<void> {
  try {
    const ids = await storage.tasks.prune(settings().retention_days * DAY_MS);
    for (const id of ids) removeOutput(paths.tasks, id);
  } catch (error) {
    log.warn(`old tasks cannot be deleted: ${problemOf(error)}`);
  }
}

async function announce(run: string, onWake: () => void) {
  try {
    return await openWakeSocket(run, "worker", onWake);
  } catch (error) {
    throw new HermesError("HERMES_WORKER_START", { folder: run, problem: problemOf(error) }, { cause: error });
  }
}

function startTask({ id, cwd }: ClaimedTask, home: string, env: NodeJS.ProcessEnv) {
  const args = [process.argv[1]!, "--home", home, "run", "--task", id];
  return startCompanion({ args, env, cwd, stdio: ["ignore", "ignore", "pipe"] });
}

function killTask(pid: number): void {
  const killDescendants = descendantsOf(pid);
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
  killDescendants();
}
