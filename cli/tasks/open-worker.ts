/** The worker of a home, as `hermes worker` and `hermes serve` have it: found by others, running the queued tasks. */
import { HermesError, problemOf } from "#core/errors";
import type { Config } from "#core/home/config";
import type { Log } from "#core/home/log";
import type { HomePaths } from "#core/home/paths";
import type { ClaimedTask, TaskStore } from "#core/ports/tasks";
import { reportEnd, reportStart, type DeliveriesFor } from "#daemon/tasks/events";
import { removeOutput } from "#daemon/tasks/output";
import { TaskWorker } from "#daemon/tasks/worker";
import { descendantsOf, startCompanion } from "#sandbox/process/companion";
import { openWakeSocket } from "../wake-sockets.ts";

export interface HomeWorkerOptions {
  readonly paths: Pick<HomePaths, "home" | "run" | "tasks">;
  readonly store: TaskStore;
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
  const { paths, store, settings, refresh, deliveriesFor, onDeliveries, log, env } = options;
  let isStarted = false;
  const place = await announce(paths.run, () => {
    if (isStarted) worker.wake();
    onDeliveries();
  });
  const worker = new TaskWorker({
    store,
    start: (task) => startTask(task, paths.home, env),
    kill: killTask,
    settings,
    refresh,
    reports: reportEnd(deliveriesFor),
    startReports: ({ submittedOn }) => reportStart(deliveriesFor, submittedOn),
    onChange: onDeliveries,
    isWakable: place.isWakable,
    log,
  });
  return {
    async start() {
      for (const id of await store.prune(settings().retention_days * DAY_MS)) {
        removeOutput(paths.tasks, id);
      }
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
    async [Symbol.asyncDispose]() {
      await worker.stop();
      await place[Symbol.asyncDispose]();
    },
  };
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
