import { setTimeout as pause } from "node:timers/promises";
import { postgresStorage } from "#daemon/storage/postgres/storage";
import { PostgresServer } from "../../.ci/postgres-server.ts";
import { NO_OP, timeOf, Workers } from "../no-op-tasks.ts";
import { median, type Case, type Measurement } from "../measure.ts";

/** Worker processes on one database. */
const SIZES = [1, 4, 16, 50];
const TASKS = 600;
const ROUNDS = 3;
const IDLE_MS = 15_000;
/** Six connections a process, at most. */
const SETTINGS = ["max_connections=400"];

/** How many transactions the database has ended since its start. */
async function transactions(server: PostgresServer, database: string): Promise<number> {
  const sql = `SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = '${database}'`;
  const [row] = await server.query<{ count: string }>(sql);
  return Number(row!.count);
}

/** What a task that does nothing takes with so many workers, and what they cost the database while there is none. */
async function measure(server: PostgresServer, size: number): Promise<readonly Measurement[]> {
  const url = await server.createDatabase();
  await using storage = await postgresStorage({ url, home: "/bench" });
  using workers = new Workers("hermes", url, size);
  const samples: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const ms = await timeOf(TASKS, () => storage.tasks.submit(NO_OP), workers);
    // The first round starts the workers.
    if (round > 0) samples.push((ms * 1e6) / TASKS);
  }
  const database = new URL(url).pathname.slice(1);
  // The server counts what a connection did when the connection is idle.
  await pause(12_000);
  const before = await transactions(server, database);
  await pause(IDLE_MS);
  const perMinute = ((await transactions(server, database)) - before) * (60_000 / IDLE_MS);
  const alone = { peer: null, theirs: null } as const;
  return [
    { name: `scaling / ${size} workers, per task`, unit: "ns", ours: median(samples), ...alone },
    { name: `scaling / ${size} idle workers, transactions in a minute`, unit: "events", ours: perMinute, ...alone },
  ];
}

/** Tasks through one PostgreSQL server with more and more workers on this machine. See docs/scaling.md. */
export const scalingCase: Case = {
  name: "scaling",
  run: async () => {
    await using server = await PostgresServer.start({ isDurable: true, settings: SETTINGS });
    const rows: Measurement[] = [];
    for (const size of SIZES) rows.push(...(await measure(server, size)));
    return rows;
  },
};
