/** What the commands of tasks work on. */
import type { DatabaseSync } from "node:sqlite";
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { createRedactor } from "#core/home/redact";
import { openDatabase, openMemoryDatabase } from "#core/home/database";
import { demandVisible } from "#core/home/hidden";
import { loadConfig, type Config } from "#core/home/config";
import type { HomePaths } from "#core/home/paths";
import type { TaskStore } from "#core/ports/tasks";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { EmbeddedTasks } from "#daemon/storage/embedded-tasks";
import { reportEnd, type DeliveriesFor } from "#daemon/tasks/events";
import { settleTasks } from "#daemon/tasks/settle";
import { endpointsOf } from "#daemon/webhooks/endpoints";
import { WebhookPublisher } from "#daemon/webhooks/publisher";
import { commandPath } from "../command-path.ts";
import type { CliContext } from "../context.ts";
import { secretsOf } from "../host-files.ts";
import { wholeId } from "../short-id.ts";

export interface TaskHome {
  readonly paths: HomePaths;
  readonly config: Config;
  readonly database: DatabaseSync;
  readonly store: TaskStore;
  readonly deliveries: EmbeddedDeliveries;
  readonly deliveriesFor: DeliveriesFor;
}

/**
 * Opens the home's tasks for `use`; with `creates`, also in a home without a database. Tasks whose process is gone are
 * settled first, so none is shown as running that is not.
 */
export async function withTasks<Value>(
  command: Command,
  context: CliContext,
  use: (home: TaskHome) => Promise<Value>,
  { creates = false } = {},
): Promise<Value> {
  const paths = context.paths(command);
  demandVisible(paths, `hermes ${commandPath(command)}`);
  const config = await loadConfig(paths, context.env);
  for (const warning of config.warnings) context.warn(warning);
  const database = creates || existsSync(paths.state) ? openDatabase(paths.state) : openMemoryDatabase();
  try {
    const deliveries = new EmbeddedDeliveries(database);
    const store = new EmbeddedTasks(database, deliveries);
    const deliveriesFor = taskReports(config, context.env, deliveries);
    const persist = config.values.background.persist_on_restart;
    await settleTasks(store, { persist, reports: reportEnd(deliveriesFor) });
    return await use({ paths, config, database, store, deliveries, deliveriesFor });
  } finally {
    database.close();
  }
}

/** Makes the deliveries about tasks; they are sent by whoever delivers. */
function taskReports(config: Config, env: NodeJS.ProcessEnv, deliveries: EmbeddedDeliveries): DeliveriesFor {
  const silent = () => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log };
  const publisher = new WebhookPublisher({
    store: deliveries,
    redact: createRedactor(env, secretsOf(config.values)),
    matches: () => true,
    onStored: silent,
    log,
  });
  publisher.configure(endpointsOf(config.values.webhooks));
  return (event, payload) => publisher.deliveriesFor(event, payload);
}

/** The whole id of a task. Throws HERMES_ID_UNKNOWN and HERMES_ID_AMBIGUOUS. */
export function taskId(written: string, store: TaskStore): Promise<string> {
  return wholeId(written, { noun: "task", list: "hermes tasks list", find: (beginning) => store.find(beginning) });
}
