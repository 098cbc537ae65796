/** What the commands of webhooks work on. */
import type { Command } from "commander";
import { existsSync } from "node:fs";
import { HermesError } from "#core/errors";
import { loadConfig, type Config } from "#core/home/config";
import { demandVisible } from "#core/home/hidden";
import type { DeliveryStore } from "#core/ports/storage";
import { didYouMean } from "#core/suggest";
import { configuredEndpoints, type Endpoint } from "#daemon/webhooks/endpoints";
import { commandPath } from "../../command-path.ts";
import type { CliContext } from "../../context.ts";

export interface WebhookHome {
  readonly config: Config;
  readonly store: DeliveryStore;
  /** Every endpoint of the configuration. */
  readonly endpoints: readonly Endpoint[];
}

/** Opens the home's deliveries for `use`. A home without a database gets none: there is nothing to list. */
export async function withWebhooks(
  command: Command,
  context: CliContext,
  use: (home: WebhookHome) => Promise<void>,
): Promise<void> {
  const paths = context.paths(command);
  demandVisible(paths, `hermes ${commandPath(command)}`);
  const config = await loadConfig(paths, context.env);
  for (const warning of config.warnings) context.warn(warning);
  const { openDatabase, openMemoryDatabase } = await import("#core/home/database");
  const { EmbeddedDeliveries } = await import("#daemon/storage/embedded-deliveries");
  const writes = command.name() === "test";
  const database = writes || existsSync(paths.state) ? openDatabase(paths.state) : openMemoryDatabase();
  try {
    const store = new EmbeddedDeliveries(database);
    await use({ config, store, endpoints: configuredEndpoints(config.values.webhooks ?? {}) });
  } finally {
    database.close();
  }
}

/** Throws HERMES_ENDPOINT_UNKNOWN. */
export function findEndpoint(endpoints: readonly Endpoint[], name: string): Endpoint {
  const found = endpoints.find((endpoint) => endpoint.name === name);
  if (found !== undefined) return found;
  const names = endpoints.map((endpoint) => endpoint.name);
  const hint =
    didYouMean(name, names) ||
    (names.length === 0 ? " There are none in config.yaml." : ` There are: ${names.join(", ")}.`);
  throw new HermesError("HERMES_ENDPOINT_UNKNOWN", { endpoint: name, hint });
}
