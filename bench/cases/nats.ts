import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { start_if_dashboard_available, stop } from "#core/forwarder";
import { NatsSender } from "#core/forward/nats/sender";
import { createRedactor } from "#core/home/redact";
import { HookRegistry } from "#core/registry";
import { median, race, type Case, type Measurement } from "../measure.ts";
import { NatsServer } from "../../.ci/nats-server.ts";

const EVENT = "tui:tool.complete";
const EVENTS = 10_000;
/** Unconfirmed messages at a time, as the sender has them. */
const WINDOW = 512;
const BATCH = 128;
const redact = createRedactor({});
const silent = { redact, warn: () => undefined, log: () => undefined };

/** About 500 bytes as a frame, a fresh object each time. */
function contextOf(number: number): Record<string, unknown> {
  const text = `${number} The quick brown fox jumps over the lazy dog. `.repeat(9).slice(0, 380);
  return { session_id: "sess_0123456789", payload: { text, number } };
}

function attach(home: string, url: string) {
  const registry = new HookRegistry();
  const settings = { servers: [url] };
  const forwarder = start_if_dashboard_available(registry, {
    src: "bench",
    home,
    ...silent,
    stream: (parts) => new NatsSender({ settings, userHome: home, redact }, parts),
  });
  if (forwarder === null) throw new Error("the forwarder is not attached");
  return { registry, forwarder };
}

/** The cost of an emission while the stream gets events, without the sender's work, which runs in other turns. */
async function push(home: string, url: string): Promise<number> {
  const { registry } = attach(home, url);
  const context = contextOf(0);
  const emit = (batch: number) => {
    for (let turn = 0; turn < batch; turn++) registry.emit_sync(EVENT, context);
  };
  const times = await race({ ours: emit }, { batch: 1000 });
  await stop();
  return times.get("ours")!;
}

/** Nanoseconds per event until all are confirmed; none is dropped. */
async function ours(home: string, url: string): Promise<number> {
  const { registry, forwarder } = attach(home, url);
  const waiting = () => forwarder.stream?.waiting ?? 0;
  registry.emit_sync(EVENT, contextOf(0));
  while (waiting() > 0) await sleep(1);
  const before = performance.now();
  for (let number = 0; number < EVENTS; await sleep(1)) {
    while (number < EVENTS && waiting() < 1024) registry.emit_sync(EVENT, contextOf(number++));
  }
  while (waiting() > 0) await sleep(1);
  const time = ((performance.now() - before) * 1e6) / EVENTS;
  const { dropped } = forwarder.stream!;
  if (dropped > 0) throw new Error(`${dropped} events were dropped`);
  await stop();
  return time;
}

/** The client in a loop: builds a frame, serialises, redacts and publishes it, as many unconfirmed as the sender has. */
async function bare(_home: string, url: string): Promise<number> {
  const connection = await connect({ servers: [url], noAsyncTraces: true });
  const client = jetstream(connection);
  const prefix = crypto.randomUUID();
  const unconfirmed = new Set<number>();
  let wake: () => void = () => undefined;
  const publish = async (number: number) => {
    unconfirmed.add(number);
    const text = redact(JSON.stringify({ event_type: EVENT, context: contextOf(number), src: "bench" }));
    await client.publish("hermes.events.bench.tui.tool.complete", text, { msgID: `${prefix}-${number}` });
    unconfirmed.delete(number);
    wake();
  };
  const until = async (most: number) => {
    while (unconfirmed.size > most) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const before = performance.now();
  for (let number = 0; number < EVENTS;) {
    await until(WINDOW - BATCH);
    for (let index = 0; index < BATCH && number < EVENTS; index++) void publish(number++);
    await new Promise((resume) => setImmediate(resume));
  }
  await until(0);
  const time = ((performance.now() - before) * 1e6) / EVENTS;
  await connection.close();
  return time;
}

export const natsCase: Case = {
  name: "nats",
  run: async ({ isQuick }): Promise<Measurement[]> => {
    await using undo = new AsyncDisposableStack();
    const server = await NatsServer.start({ after: (end) => undo.defer(end) });
    const home = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    try {
      const times: [ours: number, bare: number][] = [];
      const rounds = isQuick ? 3 : 5;
      // The first round warms up.
      for (let round = 0; round <= rounds; round++)
        times.push([await ours(home, server.url), await bare(home, server.url)]);
      const [mine, theirs] = [0, 1].map((index) => median(times.slice(1).map((pair) => pair[index]!)));
      const name = "nats / acknowledged, 500 bytes, per event";
      return [
        { name: "nats / push, per event", unit: "ns", ours: await push(home, server.url), peer: null, theirs: null },
        { name, unit: "ns", ours: mine!, peer: "bare publish loop", theirs: theirs! },
        { name: `${name}, time`, unit: "ns", ours: mine!, peer: null, theirs: null },
      ];
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  },
};
