/** A dashboard that reads a stream of a real nats-server. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { jetstream } from "@nats-io/jetstream";
import { openDatabase } from "#core/home/database";
import { formatMessageIds, messageId, MESSAGE_IDS_HEADER } from "#core/forward/message-ids";
import { consumerName, NatsReader } from "#dashboard/nats-reader";
import { temporaryFolder, TestDashboard, type TestDashboardOptions } from "../helpers/dashboard.ts";
import { NatsServer } from "../helpers/nats.ts";
import { until } from "../helpers/poll.ts";

const server = await NatsServer.start({ after });
let tests = 0;

interface Fixture {
  readonly stream: string;
  readonly prefix: string;
  readonly warnings: string[];
  /** A dashboard that reads the stream. */
  open(home: string, options?: TestDashboardOptions): Promise<{ dashboard: TestDashboard; reader: NatsReader }>;
  publish(numbers: readonly number[]): Promise<void>;
}

function fixture(t: TestContext): Fixture {
  const stream = `D${++tests}`;
  const prefix = `d${tests}`;
  const settings = { servers: [server.url], stream, subject: prefix };
  const warnings: string[] = [];
  return {
    stream,
    prefix,
    warnings,
    async open(home, options) {
      const dashboard = await TestDashboard.start(t, options);
      const reader = new NatsReader({
        settings,
        userHome: home,
        home,
        take: (frames) => dashboard.dashboard.take(frames),
        warn: (sentence) => warnings.push(sentence),
        info: () => undefined,
      });
      reader.start();
      t.after(() => reader.close());
      return { dashboard, reader };
    },
    async publish(numbers) {
      const connection = await server.connect();
      const client = jetstream(connection);
      const frame = (n: number) => JSON.stringify({ event_type: "agent:step", context: { n }, src: "other" });
      for (const n of numbers) await client.publish(`${prefix}.x`, frame(n), { msgID: messageId("s", n) });
      await connection.close();
    },
  };
}

const numbersOf = async (dashboard: TestDashboard) => (await dashboard.history()).map(({ context }) => context["n"]);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

async function untilShown(dashboard: TestDashboard, numbers: readonly number[]): Promise<void> {
  let shown: unknown[] = [];
  const areShown = async () => {
    shown = await numbersOf(dashboard);
    return shown.length >= numbers.length;
  };
  await until(areShown, `${numbers.length} events are shown`, { seen: () => shown });
  assert.deepEqual(shown, numbers);
}

test("two dashboards both show every event once; one that was away shows what it missed, and nothing again", async (t) => {
  const { open, publish, stream } = fixture(t);
  const file = join(temporaryFolder(t), "state.db");
  const first = await open("/home/a", { database: openDatabase(file) });
  const second = await open("/home/b");
  await until(async () => (await server.manager()).streams.info(stream).catch(() => false), "there is a stream");
  await publish(range(0, 5));
  await untilShown(first.dashboard, range(0, 5));
  await untilShown(second.dashboard, range(0, 5));
  const [shown] = await first.dashboard.history();
  const expected = { event_type: "agent:step", context: { n: 0, _forwarded: true, _forwarded_from: "other" } };
  assert.deepEqual({ ...shown, seq: 1, at: "", src: "" }, { seq: 1, at: "", src: "", ...expected });

  await first.reader.close();
  await first.dashboard.dashboard.stop();
  await publish(range(5, 8));
  const again = await open("/home/a", { database: openDatabase(file) });
  await untilShown(again.dashboard, range(0, 8));
  await untilShown(second.dashboard, range(0, 8));
  const { consumers } = await server.manager();
  const { config, num_ack_pending } = await consumers.info(stream, consumerName("/home/a"));
  assert.deepEqual([config.ack_policy, num_ack_pending], ["explicit", 0]);
});

test("an event that its sender also posts is shown once, whichever comes first, and after a restart", async (t) => {
  const { open, publish } = fixture(t);
  const file = join(temporaryFolder(t), "state.db");
  const post = (dashboard: TestDashboard, numbers: readonly number[]) =>
    dashboard.ingest(
      numbers.map((n) => ({ event_type: n < 0 ? "" : "agent:step", context: { n }, src: "other" })),
      { ...dashboard.bearer, [MESSAGE_IDS_HEADER]: formatMessageIds("s", numbers.map(Math.abs)) },
    );
  const { dashboard, reader } = await open("/home/a", { database: openDatabase(file) });
  await post(dashboard, [0, -90, 1]);
  await publish(range(0, 4));
  await untilShown(dashboard, range(0, 4));
  assert.equal((await post(dashboard, range(2, 6))).json()["accepted"], 4);
  await untilShown(dashboard, range(0, 6));
  await reader.close();
  await dashboard.dashboard.stop();
  await publish(range(4, 8));
  const again = await open("/home/a", { database: openDatabase(file) });
  await untilShown(again.dashboard, range(0, 8));
});

test("it survives restarts of NATS, a deleted stream, and messages that are no frames", async (t) => {
  const { open, publish, stream, prefix, warnings } = fixture(t);
  const { dashboard } = await open("/home/a");
  await until(async () => (await server.manager()).streams.info(stream).catch(() => false), "there is a stream");
  const client = jetstream(await server.connect());
  for (const text of ["not JSON", "[]", '{"event_type":""}', '[{"event_type":"a:b"}]'])
    await client.publish(`${prefix}.x`, text);
  await publish(range(0, 3));
  await untilShown(dashboard, range(0, 3));
  await server.kill();
  await until(() => warnings.length > 0, "the failure is told");
  assert.match(warnings[0]!, /^the dashboard gets no events from NATS at nats:.*: /);
  await server.restart();
  await publish(range(3, 6));
  await untilShown(dashboard, range(0, 6));
  const manager = await server.manager();
  await manager.streams.delete(stream);
  await until(() => manager.streams.info(stream).catch(() => false), "the stream is there again");
  await publish(range(6, 8));
  await untilShown(dashboard, range(0, 8));
});
