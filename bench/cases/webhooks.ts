import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "undici";
import { openDatabase } from "#core/home/database";
import { HookDispatcher } from "#core/dispatch";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { configuredEndpoints } from "#daemon/webhooks/endpoints";
import { WebhookPublisher } from "#daemon/webhooks/publisher";
import {
  deliver,
  EVENT,
  EVENTS,
  log,
  payload,
  redact,
  startReceiver,
  type Delivered,
  type Receiver,
} from "../deliveries.ts";
import { median, race, type Case, type Measurement } from "../measure.ts";

const ROUNDS = 5;

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

/** From a database of its own. */
async function deliverFrom(folder: string, receiver: Receiver, others: readonly string[] = []): Promise<Delivered> {
  const database = openDatabase(join(folder, `${performance.now()}.db`));
  try {
    return await deliver(new EmbeddedDeliveries(database), receiver, { others });
  } finally {
    database.close();
  }
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
        const alone = await deliverFrom(folder, receiver);
        const beside = await deliverFrom(folder, receiver, [dead.url]);
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
