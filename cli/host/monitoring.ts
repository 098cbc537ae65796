/** Serves the metrics and the health of a host's home. */
import { DatabaseSync } from "node:sqlite";
import { problemOf } from "#core/errors";
import { isLoopback } from "#core/loopback";
import type { Monitoring } from "#daemon/monitoring/server";
import type { MetricsSnapshot } from "#daemon/monitoring/metrics";
import { createProbe, type DatabaseProbe } from "#daemon/monitoring/probe";
import { programVersion } from "../version.ts";
import type { Host } from "./host.ts";

/** Asks the home's database by writing whether it takes writes. Never waits for another process that writes. */
export function databaseProbe(file: string): DatabaseProbe {
  return createProbe(() => {
    const database = new DatabaseSync(file, { timeout: 0 });
    try {
      database.exec("BEGIN IMMEDIATE");
      // The version stays as it is, yet its page is written.
      const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
      database.exec(`PRAGMA user_version = ${version}; COMMIT`);
    } finally {
      database.close();
    }
  }, problemOf);
}

/** Undefined when neither metrics nor health checks are on. Throws HERMES_MONITORING_PORT. */
export async function openMonitoring(host: Host, probe: DatabaseProbe): Promise<Monitoring | undefined> {
  const settings = host.config.values.monitoring ?? {};
  const enabled = (["prometheus", "health"] as const).filter((kind) => settings[kind]?.enabled === true);
  if (enabled.length === 0) return undefined;
  for (const kind of enabled) {
    const address = settings[kind]?.host ?? "127.0.0.1";
    if (isLoopback(address)) continue;
    host.warn(`monitoring.${kind} listens on ${address}: whoever can reach this port can read it, without a password.`);
  }
  const { startMonitoring } = await import("#daemon/monitoring/server");
  const { endpointsOf } = await import("#daemon/webhooks/endpoints");
  const { tasks, deliveries, inbox, counters } = await host.storage();
  const activeTasks = async () => (await tasks.running()).length;

  async function snapshot(): Promise<MetricsSnapshot> {
    // What this process counted a moment ago belongs to the answer.
    await host.flushMetrics();
    const { pending, oldest } = await deliveries.backlog();
    return {
      counts: await counters.read(),
      tasks: { active: await activeTasks(), queued: await tasks.queued() },
      webhooks: { pending, oldestSeconds: oldest === null ? 0 : Math.max(0, (Date.now() - Date.parse(oldest)) / 1000) },
      inbox: Object.fromEntries(await inbox.queued()),
      version: programVersion(),
      known: {
        tools: host.tools().map(({ name }) => name),
        endpoints: endpointsOf(host.config.values.webhooks).map(({ name }) => name),
      },
    };
  }

  return startMonitoring({ settings, snapshot, probe, activeTasks, log: host.log });
}
