import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { createRedactor } from "#core/home/redact";
import type { CliContext } from "#cli/context";
import { printList, type Column } from "#cli/list";
import { findEndpoint, withWebhooks, type WebhookHome } from "./store.ts";

const COLUMNS: readonly Column[] = [
  { head: "ENDPOINT" },
  { head: "EVENT" },
  { head: "STATE", kind: "state" },
  { head: "AUTH", isOptional: true },
  { head: "PENDING" },
  { head: "FAILED" },
  { head: "URL", kind: "line" },
];

/** `hermes webhooks list` */
export function listEndpoints(json: boolean, command: Command, context: CliContext): Promise<void> {
  return withWebhooks(command, context, async (home) => {
    const endpoints = await describe(home, createRedactor(context.env));
    if (json) return context.json({ endpoints });
    if (endpoints.length === 0) return context.out("No webhook endpoints are configured.");
    const rows = endpoints.map((endpoint) => [
      visible(endpoint.name),
      endpoint.event,
      endpoint.enabled ? "enabled" : "disabled",
      endpoint.auth,
      String(endpoint.pending),
      String(endpoint.failed),
      visible(endpoint.url),
    ]);
    printList(context, COLUMNS, rows);
  });
}

async function describe({ config, store, endpoints }: WebhookHome, redact: (text: string) => string) {
  const counts = await store.counts();
  const disabled = await store.disabledEndpoints();
  const isOn = config.values.webhooks?.enabled !== false;
  return endpoints.map(({ name, event, url, authType }) => ({
    name,
    event,
    url: redact(url),
    enabled: isOn && !disabled.has(name),
    auth: authType,
    pending: counts.get(name)?.pending ?? 0,
    failed: counts.get(name)?.failed ?? 0,
  }));
}

/** `hermes webhooks enable NAME` */
export function enableEndpoint(name: string, command: Command, context: CliContext): Promise<void> {
  return withWebhooks(command, context, async ({ store, endpoints, config }) => {
    findEndpoint(endpoints, name);
    const changed = await store.enableEndpoint(name);
    context.out(
      changed ? `The endpoint "${name}" is switched on again.` : `The endpoint "${name}" is switched on already.`,
    );
    if (config.values.webhooks?.enabled === false) {
      context.warn('All webhooks are switched off in config.yaml with "webhooks.enabled: false".');
    }
  });
}
