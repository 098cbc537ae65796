import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "undici";
import { openDatabase } from "#core/home/database";
import { createRedactor } from "#core/home/redact";
import { HookDispatcher } from "#core/dispatch";
import type { ClaimedDelivery } from "#core/ports/deliveries";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { Deliverer } from "#daemon/webhooks/deliverer";
import { configuredEndpoints } from "#daemon/webhooks/endpoints";
import { WebhookPublisher } from "#daemon/webhooks/publisher";
import { WebhookSender } from "#daemon/webhooks/send";
import { median, race, type Case, type Measurement } from "../measure.ts";

const RECEIVER = join(import.meta.dirname, "../webhook-receiver.ts");
const EVENTS = 1000;
const ROUNDS = 5;
const EVENT = "post_tool_call";
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const log = { ...silent, child: () => log };
const redact = createRedactor(process.env);

/** About 1 KB, as a tool call leaves it. */
const payload = (number: number) => ({
  tool_name: "terminal",
  args: { command: `grep -rn "needle ${number}" src` },
  task_id: "5ee4249e_0mx19c16h",
  session_id: "5ee4249e_0mx19c16h",
  tool_call_id: `call_${number}`,
  result: JSON.stringify({ output: "src/main.ts:12: a line that was found\n".repeat(22), exit_code: 0 }),
});

interface Receiver extends Disposable {
  readonly url: string;
  readonly stock: () => Promise<{ requests: number; distinct: number }>;
}

async function startReceiver(...flags: string[]): Promise<Receiver> {
  const child: ChildProcess = fork(RECEIVER, flags);
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return {
    url: `http://127.0.0.1:${port}`,
    async stock() {
      child.send("stock");
      const [stock] = (await once(child, "message")) as [{ requests: number; distinct: number }];
      return stock;
    },
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  };
}

/** Everything that stands between an event and its requests, on a database of its own. */
function open(folder: string, urls: readonly string[], onSent: (delivery: ClaimedDelivery) => void = () => undefined) {
  const database = openDatabase(join(folder, `${performance.now()}.db`));
  const store = new EmbeddedDeliveries(database);
  const endpoints = configuredEndpoints({ endpoints: { [EVENT]: urls.map((url) => ({ url })) } });
  const sender = new WebhookSender({ version: "bench", redact });
  const deliverer = new Deliverer({
    store,
    sender: {
      send: async (endpoint, delivery, signal) => {
        const result = await sender.send(endpoint, delivery, signal);
        if (endpoint.url === urls[0]) onSent(delivery);
        return result;
      },
    },
    endpoints: () => endpoints,
    log,
    warn: () => undefined,
  });
  const publisher = new WebhookPublisher({
    store,
    redact,
    matches: () => true,
    onStored: (names) => names.forEach((name) => deliverer.wake(name)),
    log,
  });
  publisher.configure(endpoints);
  return {
    publisher,
    async [Symbol.asyncDispose]() {
      await deliverer[Symbol.asyncDispose]();
      await sender[Symbol.asyncDispose]();
      database.close();
    },
  };
}

/** The cost of an event for whoever fires it, with a webhook on it; storing and sending it comes later. */
async function publishing(): Promise<Measurement> {
  const dispatcher = new HookDispatcher();
  const endpoints = configuredEndpoints({ endpoints: { [EVENT]: { url: "http://127.0.0.1:9" } } });
  const store = { add: async () => [] };
  const event = payload(1);
  const times = await race(
    {
      ours(batch) {
        // Another one for each batch, because one that has no turn to store anything gets full.
        const publisher = new WebhookPublisher({ store, redact, matches: () => true, onStored: () => undefined, log });
        publisher.configure(endpoints);
        const undo = dispatcher.listen(EVENT, (given) => publisher.publish(EVENT, given));
        for (let turn = 0; turn < batch; turn++) void dispatcher.invoke_hook(EVENT, event);
        undo();
      },
      "JSON.stringify"(batch) {
        const taken: string[] = [];
        for (let turn = 0; turn < batch; turn++) taken.push(JSON.stringify(event));
      },
    },
    { batch: 1000 },
  );
  const [ours, theirs] = [times.get("ours")!, times.get("JSON.stringify")!];
  return { name: "webhooks / publisher, per event", unit: "ns", ours, peer: "JSON.stringify", theirs };
}

interface Delivered {
  /** Nanoseconds per event, from the first emission to the last answer. */
  readonly perEvent: number;
  /** From emission to answer, in milliseconds. */
  readonly p95: number;
}

async function deliver(folder: string, receiver: Receiver, others: readonly string[] = []): Promise<Delivered> {
  const latencies: number[] = [];
  const started = performance.now();
  const all = Promise.withResolvers<void>();
  const before = await receiver.stock();
  await using webhooks = open(folder, [receiver.url, ...others], () => {
    latencies.push(performance.now() - started);
    if (latencies.length === EVENTS) all.resolve();
  });
  for (let number = 0; number < EVENTS; number++) webhooks.publisher.publish(EVENT, payload(number));
  await all.promise;
  const perEvent = ((performance.now() - started) * 1e6) / EVENTS;
  const after = await receiver.stock();
  if (after.requests - before.requests !== EVENTS || after.distinct - before.distinct !== EVENTS) {
    throw new Error("not every event arrived once");
  }
  return { perEvent, p95: latencies.toSorted((left, right) => left - right)[Math.floor(EVENTS * 0.95)]! };
}

/** Eight requests at a time with undici and nothing else: no database, no signature, no check of addresses. */
async function bareRequests({ url }: Receiver): Promise<number> {
  const clients = Array.from({ length: 8 }, () => new Client(url));
  const started = performance.now();
  let next = 0;
  await Promise.all(
    clients.map(async (client) => {
      while (next < EVENTS) {
        const number = next++;
        const headers = { "content-type": "application/json", "webhook-id": `bare-${started}-${number}` };
        const body = JSON.stringify(payload(number));
        const answer = await client.request({ method: "POST", path: "/", headers, body });
        await answer.body.text();
      }
      await client.close();
    }),
  );
  return ((performance.now() - started) * 1e6) / EVENTS;
}

/** Webhooks: what an event costs its publisher, how many are delivered a second, and what a dead endpoint changes. */
export const webhooksCase: Case = {
  name: "webhooks",
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    try {
      using receiver = await startReceiver();
      using dead = await startReceiver("--hang");
      const rounds: { readonly alone: Delivered; readonly beside: Delivered; readonly bare: number }[] = [];
      for (let round = 0; round <= ROUNDS; round++) {
        const alone = await deliver(folder, receiver);
        const beside = await deliver(folder, receiver, [dead.url]);
        rounds.push({ alone, beside, bare: await bareRequests(receiver) });
      }
      // The first round warms up.
      const of = (pick: (round: (typeof rounds)[0]) => number) => median(rounds.slice(1).map(pick));
      const perEvent = of(({ alone }) => alone.perEvent);
      const p95 = of(({ alone }) => alone.p95);
      return [
        await publishing(),
        {
          name: "webhooks / delivered, per event",
          unit: "ns",
          ours: perEvent,
          peer: "bare undici",
          theirs: of(({ bare }) => bare),
        },
        { name: "webhooks / 1,000 events, per event", unit: "ns", ours: perEvent, peer: null, theirs: null },
        {
          name: "webhooks / p95 beside a dead endpoint",
          unit: "ms",
          ours: of(({ beside }) => beside.p95),
          peer: "alone",
          theirs: p95,
        },
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
