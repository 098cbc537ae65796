/** The storage of a home by itself: everything is in `state.db`. */
import type { DatabaseSync } from "node:sqlite";
import type { Storage } from "#core/ports/storage";
import { EmbeddedCounters } from "./embedded-counters.ts";
import { EmbeddedDeliveries } from "./embedded-deliveries.ts";
import { EmbeddedInboundRuns } from "./embedded-inbound-runs.ts";
import { EmbeddedInbox } from "./embedded-inbox.ts";
import { EmbeddedSchedules } from "./embedded-schedules.ts";
import { EmbeddedTasks } from "./embedded-tasks.ts";
import { EmbeddedWorkers } from "./embedded-workers.ts";

/** The stores of a database, which stays the caller's: disposing of the storage does not close it. `now` is the wall clock. */
export function embeddedStorage(database: DatabaseSync, now: () => number = Date.now): Storage {
  const deliveries = new EmbeddedDeliveries(database, now);
  const inbox = new EmbeddedInbox(database, now);
  return {
    tasks: new EmbeddedTasks(database, deliveries, now),
    workers: new EmbeddedWorkers(database, now),
    // Everybody of the home has its files.
    outputs: { writer: () => undefined, read: async () => undefined },
    deliveries,
    inbox,
    schedules: new EmbeddedSchedules(database, inbox, now),
    inboundRuns: new EmbeddedInboundRuns(database, now),
    counters: new EmbeddedCounters(database),
    now: async () => now(),
    // No other machine writes to it.
    onWake: () => new DisposableStack(),
    async probe() {},
    async [Symbol.asyncDispose]() {},
  };
}
