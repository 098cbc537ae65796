/** `hermes worker`: it runs tasks and sends deliveries until it is stopped, or idle. */
import { statSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { HermesError, isHermesError } from "#core/errors";
import type { Config } from "#core/home/config";
import { Deliverer } from "#daemon/webhooks/deliverer";
import { endpointsOf } from "#daemon/webhooks/endpoints";
import { WebhookSender } from "#daemon/webhooks/send";
import type { CliContext, GlobalOptions } from "../context.ts";
import { openFiles, type HostFiles } from "../host-files.ts";
import { openLogStreams, type HostLogs } from "../host/logs.ts";
import { untilStopped } from "../shutdown.ts";
import { programVersion } from "../version.ts";
import { FollowedConfig } from "./followed-config.ts";
import type { TaskHome } from "./home.ts";
import { openWorker, type HomeWorker } from "./open-worker.ts";
import { ensureWorker } from "./workers.ts";

export interface WorkerRun {
  readonly home: TaskHome;
  readonly context: CliContext;
  readonly globals: GlobalOptions;
  /** Ends when there has been nothing to do for a while. */
  readonly untilIdle: boolean;
  readonly tags?: readonly string[] | undefined;
  /** The most tasks that it runs at a time. */
  readonly concurrency?: number | undefined;
}

const IDLE_MS = 10_000;
const LOOK_MS = 1000;
/** An attempt of a delivery that is due within this keeps an idle worker. */
const SOON_MS = 60_000;
const LAST_WAIT_MS = 2000;

/** Throws HERMES_WORKER_START, and HERMES_STATE_UNAVAILABLE when `state.db` was replaced by another file. */
export async function runWorker(run: WorkerRun): Promise<void> {
  const { home, untilIdle } = run;
  const isReplaced = watchState(home);
  try {
    await work(run, isReplaced);
  } finally {
    // Whoever submitted a task meanwhile still found this worker.
    if (untilIdle && (isReplaced() || (await home.store.queued()) > 0)) {
      await ensureWorker({ paths: home.paths, workers: home.stores.workers });
    }
  }
}

async function work(run: WorkerRun, isReplaced: () => boolean): Promise<void> {
  const { home, context, globals, untilIdle, tags = [], concurrency } = run;
  const { paths, stores, deliveries, deliveriesFor } = home;
  await using undo = new AsyncDisposableStack();
  const files = openFiles({ context, globals, paths });
  undo.defer(() => files.close());
  const logs = undo.use(openLogStreams({ files, paths, surface: "worker", env: context.env }));
  const { log, redact } = files;
  let endpoints = endpointsOf(home.config.values.webhooks);
  const sender = undo.use(new WebhookSender({ version: programVersion(), redact }));
  const deliverer = undo.use(
    new Deliverer({ store: deliveries, sender, endpoints: () => endpoints, log, warn: context.note }),
  );
  const onChange = async (config: Config) => {
    await apply(config, { home, files, logs });
    endpoints = endpointsOf(config.values.webhooks);
  };
  await onChange(home.config);
  const followed = new FollowedConfig({ paths, env: context.env, config: home.config, onChange, log });
  const replaced = Promise.withResolvers<void>();
  const refresh = async () => {
    if (isReplaced()) replaced.resolve();
    await followed.refresh();
  };
  const worker = undo.use(
    await openWorker({
      paths,
      storage: stores,
      tags,
      concurrency,
      settings: () => followed.values.background,
      refresh,
      deliveriesFor,
      onDeliveries: () => void refresh().then(() => deliverer.lookAround()),
      log,
      env: context.env,
    }),
  );
  await deliverer.start();
  await worker.start();
  const stopped = untilStopped((code) => {
    worker.hurry();
    context.exit(code);
  });
  // Whoever has read it may stop it.
  if (!untilIdle) announce(followed, run);
  await Promise.race([stopped, replaced.promise, ...(untilIdle ? [idle(worker, home, followed)] : [])]);
  if (isReplaced()) worker.hurry();
  await worker.stop();
  await deliverer.drain(LAST_WAIT_MS);
  if (isReplaced()) throw new HermesError("HERMES_STATE_UNAVAILABLE", { file: paths.state, problem: REPLACED });
}

const REPLACED = "it was moved or replaced while the worker was running. Start the worker again.";

interface Applied {
  readonly home: TaskHome;
  readonly files: HostFiles;
  readonly logs: HostLogs;
}

async function apply(config: Config, { home, files, logs }: Applied): Promise<void> {
  // First: the others may log.
  files.keepSecret(config.values);
  home.configure(config);
  await logs.configure(config);
}

function announce(
  { values }: FollowedConfig,
  { context, tags = [], concurrency = Number.POSITIVE_INFINITY }: WorkerRun,
) {
  const most = Math.min(values.background.max_concurrent, concurrency);
  const tagged = tags.length === 0 ? "" : ` Its tags: ${tags.join(", ")}.`;
  context.note(`The worker is ready: up to ${most} tasks at a time.${tagged} Press Ctrl+C to stop it.`);
}

/** Tells whether the path of the database leads to another file by now, because a damaged one was moved away. */
function watchState({ paths }: TaskHome): () => boolean {
  const inode = () => statSync(paths.state, { throwIfNoEntry: false, bigint: true })?.ino;
  const opened = inode();
  return () => inode() !== opened;
}

/** Resolves when there was nothing to do for a while. */
async function idle(worker: HomeWorker, home: TaskHome, config: FollowedConfig): Promise<void> {
  for (;;) {
    await pause(LOOK_MS);
    if (worker.idleMs >= IDLE_MS && !(await isNeeded(home, config))) return;
  }
}

async function isNeeded({ store, deliveries }: TaskHome, config: FollowedConfig): Promise<boolean> {
  try {
    if (config.values.background.enabled && (await store.queued()) > 0) return true;
    return [...(await deliveries.due()).values()].some((inMs) => inMs <= SOON_MS);
  } catch (error) {
    // Nobody knows what waits in a database that is away.
    if (isHermesError(error) && error.code === "HERMES_DATABASE_UNAVAILABLE") return true;
    throw error;
  }
}
