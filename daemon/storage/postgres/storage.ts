/** The storage that several machines share: everything of it is in PostgreSQL (CONTRACT §16). */
import type { Storage } from "#core/ports/storage";
import { databaseUrl, PostgresDatabase } from "./database.ts";
import { WakeChannel, type WakeListener } from "./listener.ts";
import { migrate } from "./migrations.ts";
import type { LeaseTimes } from "./lease.ts";
import { thisMachine, type Machine } from "./machine.ts";
import { TaskQueue } from "./queue.ts";
import { PostgresOutputs } from "./outputs.ts";
import { PostgresTasks } from "./tasks.ts";
import { WakeSpread } from "./wake-spread.ts";
import { PostgresWorkers } from "./workers.ts";
import { PostgresCounters } from "./counters.ts";
import { PostgresDeliveries } from "./deliveries.ts";
import { PostgresInboundRuns } from "./inbound-runs.ts";
import { PostgresInbox } from "./inbox.ts";
import { PostgresSchedules } from "./schedules.ts";
import { PostgresDaemons } from "./daemons.ts";
import type { Sql } from "./sql.ts";

export interface PostgresStorageOptions {
  /** `postgres://USER:PASSWORD@HOST:PORT/DATABASE` */
  readonly url: string;
  /** The folder of the home that uses it. */
  readonly home: string;
  /** What the server's time in milliseconds is taken for; for tests. */
  readonly now?: (() => Promise<number>) | undefined;
  /** Where this process runs; for tests. */
  readonly machine?: Machine | undefined;
  /** The leases of tasks; for tests. */
  readonly lease?: LeaseTimes | undefined;
}

/**
 * Connects, and creates or upgrades the tables. Rejects with HERMES_DATABASE_UNAVAILABLE and
 * HERMES_DATABASE_NEWER.
 */
export async function postgresStorage({
  url,
  home,
  machine = thisMachine(home),
  now,
  lease,
}: PostgresStorageOptions): Promise<Storage> {
  const at = databaseUrl(url);
  await using undo = new AsyncDisposableStack();
  const database = undo.use(new PostgresDatabase(at));
  await migrate(database, at);
  const channel = undo.use(new WakeChannel(at));
  const time = now ?? ((sql?: Sql) => database.now(sql));
  const counters = new PostgresCounters(database);
  const deliveries = new PostgresDeliveries(database, counters, time);
  const queue = undo.use(new TaskQueue(database));
  const inbox = new PostgresInbox(database, time);
  const workers = new PostgresWorkers({ database, queue, machine, now: time });
  const disposal = undo.move();
  return {
    tasks: new PostgresTasks({ database, queue, deliveries, counters, machine, now: time, lease }),
    outputs: new PostgresOutputs(database, machine),
    workers,
    counters,
    deliveries,
    inbox,
    schedules: new PostgresSchedules(database, inbox, time),
    daemons: new PostgresDaemons(database, time),
    inboundRuns: new PostgresInboundRuns(database, time),
    now: () => time(),
    onWake(listener: WakeListener) {
      const undoListening = new DisposableStack();
      const spread = undoListening.use(new WakeSpread(listener, () => workers.live));
      undoListening.use(channel.listen((kind, session) => spread.take(kind, session)));
      return undoListening;
    },
    probe: async () => void (await database.run("UPDATE version SET version = version")),
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}
