/** Deliveries of webhooks to a receiver in a process of its own, for the cases that measure them. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createRedactor } from "#core/home/redact";
import type { ClaimedDelivery, DeliveryStore } from "#core/ports/deliveries";
import { Deliverer } from "#daemon/webhooks/deliverer";
import { configuredEndpoints } from "#daemon/webhooks/endpoints";
import { WebhookPublisher } from "#daemon/webhooks/publisher";
import { WebhookSender } from "#daemon/webhooks/send";

const RECEIVER = join(import.meta.dirname, "webhook-receiver.ts");
/** As many as one measurement sends. */
export const EVENTS = 1000;
export const EVENT = "post_tool_call";
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
export const log = { ...silent, child: () => log };
export const redact = createRedactor(process.env);

/** About 1 KB, as a tool call leaves it. */
export const payload = (number: number) => ({
  tool_name: "terminal",
  args: { command: `grep -rn "needle ${number}" src` },
  task_id: "5ee4249e_0mx19c16h",
  session_id: "5ee4249e_0mx19c16h",
  tool_call_id: `call_${number}`,
  result: JSON.stringify({ output: "src/main.ts:12: a line that was found\n".repeat(22), exit_code: 0 }),
});

export interface Receiver extends Disposable {
  readonly url: string;
  readonly stock: () => Promise<{ requests: number; distinct: number }>;
}

export async function startReceiver(...flags: string[]): Promise<Receiver> {
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

/** Everything that stands between an event and its requests. */
function open(store: DeliveryStore, urls: readonly string[], onSent: (delivery: ClaimedDelivery) => void) {
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
    },
  };
}

export interface Delivered {
  /** Nanoseconds per event, from the first emission to the last answer. */
  readonly perEvent: number;
  /** From emission to answer, in milliseconds. */
  readonly p95: number;
}

export interface DeliverOptions {
  readonly events?: number;
  /** Other endpoints of each event. */
  readonly others?: readonly string[];
}

/** Publishes that many events and waits until the receiver has them. */
export async function deliver(
  store: DeliveryStore,
  receiver: Receiver,
  { events = EVENTS, others = [] }: DeliverOptions = {},
): Promise<Delivered> {
  const latencies: number[] = [];
  const started = performance.now();
  const all = Promise.withResolvers<void>();
  const before = await receiver.stock();
  await using webhooks = open(store, [receiver.url, ...others], () => {
    latencies.push(performance.now() - started);
    if (latencies.length === events) all.resolve();
  });
  for (let number = 0; number < events; number++) webhooks.publisher.publish(EVENT, payload(number));
  await all.promise;
  const perEvent = ((performance.now() - started) * 1e6) / events;
  const after = await receiver.stock();
  if (after.requests - before.requests !== events || after.distinct - before.distinct !== events) {
    throw new Error("not every event arrived once");
  }
  return { perEvent, p95: latencies.toSorted((left, right) => left - right)[Math.floor(events * 0.95)]! };
}
