import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import test from "node:test";
import type { NewDelivery } from "#core/ports/deliveries";
import { endpointsOf } from "#daemon/webhooks/endpoints";
import { WebhookPublisher } from "#daemon/webhooks/publisher";

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };

test("a flush waits for what is being stored already, and later events are stored after earlier ones", async () => {
  const stored: string[] = [];
  const adding: PromiseWithResolvers<void>[] = [];
  const publisher = new WebhookPublisher({
    store: {
      async add(deliveries: readonly NewDelivery[]) {
        adding.push(Promise.withResolvers());
        await adding.at(-1)!.promise;
        stored.push(...deliveries.map(({ payload }) => (JSON.parse(payload) as { n: string }).n));
        return stored;
      },
    },
    redact: (text) => text,
    matches: () => true,
    onStored: () => void stored.push("told"),
    log,
  });
  publisher.configure(endpointsOf({ endpoints: { tool_called: { url: "http://localhost" } } }));
  publisher.publish("tool_called", { n: "first" });
  await nextTurn();
  publisher.publish("tool_called", { n: "second" });
  await nextTurn();
  assert.equal(adding.length, 1, "one after another");
  const flushed = publisher.flush();
  adding[0]!.resolve();
  await nextTurn();
  assert.deepEqual(stored, ["first", "told"]);
  adding[1]!.resolve();
  await flushed;
  assert.deepEqual(stored, ["first", "told", "second", "told"]);
});
