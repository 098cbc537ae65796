/** What the commands of tasks work on. */
import type { Command } from "#cli/command-line/command";
import { createRedactor } from "#core/home/redact";
import type { Config } from "#core/home/config";
import type { DeliveryStore } from "#core/ports/deliveries";
import type { Storage } from "#core/ports/storage";
import type { TaskStore } from "#core/ports/tasks";
import { reportEnd, type DeliveriesFor } from "#daemon/tasks/events";
import { settleTasks } from "#daemon/tasks/settle";
import { endpointsOf } from "#daemon/webhooks/endpoints";
import { WebhookPublisher } from "#daemon/webhooks/publisher";
import type { CliContext } from "../context.ts";
import { withHomeState, type HomeState } from "../home-state.ts";
import { secretsOf } from "../host-files.ts";
import { wholeId } from "#core/short-id";
import { wakeAll } from "../wake-sockets.ts";

export interface TaskHome extends HomeState {
  readonly store: TaskStore;
  readonly deliveries: DeliveryStore;
  /** What both are part of. */
  readonly stores: Storage;
  readonly deliveriesFor: DeliveriesFor;
  /** Reports to the endpoints of this configuration from now on. */
  readonly configure: (config: Config) => void;
}

/**
 * Opens the home's tasks for `use`; with `creates`, also in a home without a database; with
 * `waits`, for as long as it takes until the database is there. Tasks whose process is gone are
 * settled first, so none is shown as running that is not.
 */
export function withTasks<Value>(
  command: Command,
  context: CliContext,
  use: (home: TaskHome) => Promise<Value>,
  { creates = false, waits = false } = {},
): Promise<Value> {
  return withHomeState(command, context, { creates, waits }, async (state) => {
    const { config } = state;
    const stores = await state.storage();
    const { tasks: store, deliveries } = stores;
    const reports = followingReports(context.env, deliveries);
    reports.configure(config);
    const persist = config.values.background.persist_on_restart;
    const settled = await settleTasks(store, { persist, reports: reportEnd(reports.deliveriesFor) });
    if (settled > 0) await wakeAll(state.paths.run);
    return use({ ...state, stores, store, deliveries, ...reports });
  });
}

/** Makes the deliveries about tasks for one configuration; they are sent by whoever delivers. */
export function taskReports(
  config: Config,
  redact: (text: string) => string,
  deliveries: DeliveryStore,
): DeliveriesFor {
  const publisher = silentPublisher(redact, deliveries);
  publisher.configure(endpointsOf(config.values.webhooks));
  return (event, payload) => publisher.deliveriesFor(event, payload);
}

/** The same for one configuration after another. */
function followingReports(
  env: NodeJS.ProcessEnv,
  deliveries: DeliveryStore,
): Pick<TaskHome, "deliveriesFor" | "configure"> {
  let redact = createRedactor(env);
  const publisher = silentPublisher((text) => redact(text), deliveries);
  return {
    deliveriesFor: (event, payload) => publisher.deliveriesFor(event, payload),
    configure(config) {
      redact = createRedactor(env, secretsOf(config.values));
      publisher.configure(endpointsOf(config.values.webhooks));
    },
  };
}

function silentPublisher(redact: (text: string) => string, store: DeliveryStore): WebhookPublisher {
  const silent = () => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log };
  return new WebhookPublisher({ store, redact, matches: () => true, onStored: silent, log });
}

/** The whole id of a task. Throws HERMES_ID_UNKNOWN and HERMES_ID_AMBIGUOUS. */
export function taskId(written: string, store: TaskStore): Promise<string> {
  return wholeId(written, { noun: "task", list: "hermes tasks list", find: (beginning) => store.find(beginning) });
}
