import { PgBoss } from "pg-boss";
import { postgresStorage } from "#daemon/storage/postgres/storage";
import { PostgresServer } from "../../.ci/postgres-server.ts";
import { deliver, startReceiver } from "../deliveries.ts";
import { NO_OP, timeOf, Workers } from "../no-op-tasks.ts";
import { median, type Case, type Measurement } from "../measure.ts";

const QUEUE = "bare";
const WORKERS = 4;
/** Tasks and events of a round. */
const FULL = { rounds: 5, tasks: 600, events: 1000 };
/** As many tasks, because a short round is mostly the start and the end of its work. */
const QUICK = { rounds: 3, tasks: 600, events: 300 };

type Size = typeof FULL;

/** Tasks that do nothing: submitted, claimed by one of four workers, started and ended, beside the jobs of a bare queue. */
async function tasks(server: PostgresServer, { rounds, tasks: count }: Size): Promise<readonly Measurement[]> {
  const url = await server.createDatabase();
  await using storage = await postgresStorage({ url, home: "/bench" });
  const bareUrl = await server.createDatabase();
  const boss = new PgBoss({ connectionString: bareUrl, supervise: false, schedule: false });
  boss.on("error", (error) => console.error(error.message));
  await boss.start();
  await boss.createQueue(QUEUE);
  const samples = { ours: [] as number[], theirs: [] as number[] };
  try {
    using hermes = new Workers("hermes", url, WORKERS);
    using bare = new Workers("pg-boss", bareUrl, WORKERS);
    for (let round = 0; round <= rounds; round++) {
      const ours = await timeOf(count, () => storage.tasks.submit(NO_OP), hermes);
      const theirs = await timeOf(count, () => boss.send(QUEUE, { prompt: NO_OP.prompt }), bare);
      // The first round starts the workers.
      if (round === 0) continue;
      samples.ours.push((ours * 1e6) / count);
      samples.theirs.push((theirs * 1e6) / count);
    }
  } finally {
    await boss.stop({ graceful: false });
  }
  const [ours, theirs] = [median(samples.ours), median(samples.theirs)];
  return [
    { name: "postgres / tasks, 4 workers, per task", unit: "ns", ours, peer: "bare pg-boss", theirs },
    { name: "postgres / tasks, 4 workers, time", unit: "ns", ours, peer: null, theirs: null },
  ];
}

/** Events that a healthy receiver gets: stored, claimed, sent and ended. */
async function deliveries(server: PostgresServer, { rounds, events }: Size): Promise<Measurement> {
  await using storage = await postgresStorage({ url: await server.createDatabase(), home: "/bench" });
  using receiver = await startReceiver();
  const samples: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const { perEvent } = await deliver(storage.deliveries, receiver, { events });
    // The first round warms up.
    if (round > 0) samples.push(perEvent);
  }
  return { name: "postgres / delivered, per event", unit: "ns", ours: median(samples), peer: null, theirs: null };
}

/** Tasks and deliveries that are shared by machines, on a server that survives a loss of power. */
export const postgresCase: Case = {
  name: "postgres",
  run: async ({ isQuick }) => {
    await using server = await PostgresServer.start({ isDurable: true });
    const size = isQuick ? QUICK : FULL;
    return [...(await tasks(server, size)), await deliveries(server, size)];
  },
};
