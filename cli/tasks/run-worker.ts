/** `hermes worker`: it runs tasks and sends deliveries until it is stopped, or idle. */
import { setTimeout as pause } from "node:timers/promises";
import { openLog } from "#core/home/log";
import { createRedactor } from "#core/home/redact";
import { Deliverer } from "#daemon/webhooks/deliverer";
import { endpointsOf } from "#daemon/webhooks/endpoints";
import { WebhookSender } from "#daemon/webhooks/send";
import type { CliContext } from "../context.ts";
import { secretsOf } from "../host-files.ts";
import { untilStopped } from "../shutdown.ts";
import { programVersion } from "../version.ts";
import type { TaskHome } from "./home.ts";
import { openWorker, type HomeWorker } from "./open-worker.ts";

export interface WorkerRun {
  readonly home: TaskHome;
  readonly context: CliContext;
  /** Ends when there has been nothing to do for a while. */
  readonly untilIdle: boolean;
}

const IDLE_MS = 10_000;
const LOOK_MS = 1000;
/** An attempt of a delivery that is due within this keeps an idle worker. */
const SOON_MS = 60_000;
const LAST_WAIT_MS = 2000;

export async function runWorker({ home, context, untilIdle }: WorkerRun): Promise<void> {
  const { paths, config, store, deliveries, deliveriesFor } = home;
  const { background } = config.values;
  const redact = createRedactor(context.env, secretsOf(config.values));
  const log = openLog({ path: paths.log, level: "info", redact, onError: context.warn });
  const endpoints = endpointsOf(config.values.webhooks);
  await using sender = new WebhookSender({ version: programVersion(), redact });
  await using deliverer = new Deliverer({
    store: deliveries,
    sender,
    endpoints: () => endpoints,
    log,
    warn: context.note,
  });
  await using worker = await openWorker({
    paths,
    store,
    settings: () => background,
    deliveriesFor,
    onDeliveries: () => void deliverer.lookAround(),
    log,
    env: context.env,
  });
  await deliverer.start();
  await worker.start();
  if (!untilIdle)
    context.note(`The worker is ready: up to ${background.max_concurrent} tasks at a time. Press Ctrl+C to stop it.`);
  const stopped = untilStopped((code) => {
    worker.hurry();
    context.exit(code);
  });
  await (untilIdle ? Promise.race([stopped, idle(worker, home)]) : stopped);
  await worker.stop();
  await deliverer.drain(LAST_WAIT_MS);
  await log.close();
}

/** Resolves when there was nothing to do for a while. */
async function idle(worker: HomeWorker, { store, deliveries }: TaskHome): Promise<void> {
  for (;;) {
    await pause(LOOK_MS);
    if (worker.idleMs < IDLE_MS || (await store.queued()) > 0) continue;
    const due = [...(await deliveries.due()).values()];
    if (due.every((inMs) => inMs > SOON_MS)) return;
  }
}
