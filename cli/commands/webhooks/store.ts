/** What the commands of webhooks work on. */
import type { Command } from "#cli/command-line/command";
import { HermesError } from "#core/errors";
import type { Config } from "#core/home/config";
import type { DeliveryStore } from "#core/ports/deliveries";
import { didYouMean } from "#core/suggest";
import { configuredEndpoints, type Endpoint } from "#daemon/webhooks/endpoints";
import type { CliContext } from "../../context.ts";
import { withHomeState } from "../../home-state.ts";

export interface WebhookHome {
  readonly config: Config;
  readonly store: DeliveryStore;
  /** Every endpoint of the configuration. */
  readonly endpoints: readonly Endpoint[];
}

/** Opens the home's deliveries for `use`. A home without a database gets none: there is nothing to list. */
export function withWebhooks(
  command: Command,
  context: CliContext,
  use: (home: WebhookHome) => Promise<void>,
): Promise<void> {
  return withHomeState(command, context, { creates: command.name() === "test" }, async ({ config, storage }) => {
    const { deliveries: store } = await storage();
    return use({ config, store, endpoints: configuredEndpoints(config.values.webhooks ?? {}) });
  });
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
