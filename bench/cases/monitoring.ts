import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { openDatabase } from "#core/home/database";
import { observationOf } from "#core/ports/counters";
import { startMonitoring } from "#daemon/monitoring/server";
import { EmbeddedCounters } from "#daemon/storage/embedded-counters";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { EmbeddedTasks } from "#daemon/storage/embedded-tasks";
import { NO_OP } from "../no-op-tasks.ts";
import type { Case } from "../measure.ts";

const WRITER = join(import.meta.dirname, "../database-writer.ts");
const TASKS = 10_000;
const DELIVERED = 50_000;
const PENDING = 5000;
const TOOLS = 100;
const SCRAPES = 200;
const QUICK_SCRAPES = 100;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const log = { ...silent, child: () => log };

/** A home that has worked for long: many rows, every tool, hooks on twenty events, and deliveries that wait. */
async function fill(database: DatabaseSync): Promise<void> {
  const deliveries = new EmbeddedDeliveries(database);
  const tasks = new EmbeddedTasks(database, deliveries);
  database.exec("BEGIN");
  for (let number = 0; number < TASKS; number++) await tasks.submit(NO_OP);
  const delivery = { event: "e", endpoint: "e", payload: "{}" };
  const ids = await deliveries.add(Array.from({ length: DELIVERED }, () => delivery));
  const attempt = { at: new Date().toISOString(), status: 200, error: null, duration_ms: 1 };
  await deliveries.finish(ids.map((id) => ({ id, attempt, next: { kind: "delivered" } })));
  await deliveries.add(Array.from({ length: PENDING }, () => delivery));
  const counters = new EmbeddedCounters(database);
  await counters.add(
    Array.from({ length: TOOLS }, (_, tool) => ({ name: "tool_calls", labels: [`tool-${tool}`], amount: 1 })),
  );
  for (let event = 0; event < 20; event++) {
    for (const source of ["plugin", "shell", "worker"])
      for (const seconds of [0.0005, 0.003, 0.02, 0.3])
        await counters.add(observationOf("hook", [`event-${event}`, source], seconds));
  }
  database.exec("COMMIT");
}

/** How long Prometheus waits for the metrics of a large home while another process ends 200 tasks a second. */
export const monitoringCase: Case = {
  name: "monitoring",
  run: async ({ isQuick }) => {
    const scrapes = isQuick ? QUICK_SCRAPES : SCRAPES;
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    const file = join(folder, "state.db");
    const database = openDatabase(file);
    await fill(database);
    const writer = fork(WRITER, [file]);
    try {
      await once(writer, "message");
      const deliveries = new EmbeddedDeliveries(database);
      const tasks = new EmbeddedTasks(database, deliveries);
      const counters = new EmbeddedCounters(database);
      await using monitoring = await startMonitoring({
        settings: { prometheus: { enabled: true, port: 0 } },
        probe: { problem: async () => null },
        activeTasks: async () => 0,
        log,
        snapshot: async () => {
          const { pending } = await deliveries.backlog();
          return {
            counts: await counters.read(),
            tasks: { active: (await tasks.running()).length, queued: await tasks.queued() },
            webhooks: { pending, oldestSeconds: 1 },
            inbox: {},
            version: "bench",
            known: { tools: [], endpoints: [] },
          };
        },
      });
      const { url } = monitoring.addresses[0]!;
      const times: number[] = [];
      for (let scrape = 0; scrape < scrapes; scrape++) {
        const started = performance.now();
        await (await fetch(url)).text();
        times.push(performance.now() - started);
      }
      const ours = times.toSorted((left, right) => left - right)[Math.floor(scrapes * 0.95)]!;
      return [{ name: "monitoring / scrape, p95", unit: "ms", ours, peer: null, theirs: null }];
    } finally {
      writer.kill("SIGKILL");
      database.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
