/** What a store of deliveries promises, whatever its engine: the specification of `DeliveryStore`. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import type { DeliveryOutcome, NewDelivery } from "#core/ports/deliveries";
import { START, type StorageEngine } from "../../../helpers/storages.ts";

const message = (endpoint = "a", event = "agent:end"): NewDelivery => ({ endpoint, event, payload: '{"x":1}' });
const LEASE = { limit: 10, leaseMs: 60_000 };
const outcome = (id: string, next: DeliveryOutcome["next"], status: number | null = 200): DeliveryOutcome => ({
  id,
  attempt: {
    at: new Date(START).toISOString(),
    status,
    error: next.kind === "delivered" ? null : "no",
    duration_ms: 5,
  },
  next,
});

/** The cases, each on an empty storage of the engine. */
export function deliveriesCases(engine: StorageEngine): void {
  async function open() {
    const { storage, clock } = await engine.open();
    return { store: storage.deliveries, clock };
  }

  test("what was added is handed out once, oldest first, to one endpoint", async () => {
    const { store } = await open();
    const ids = await store.add([message(), message("b"), message()]);
    assert.deepEqual(new Set(ids).size, 3);
    for (const id of ids) assert.match(id, /^[a-z0-9]{16}$/);
    const claimed = await store.claim("a", LEASE);
    assert.deepEqual(
      claimed.map(({ id, event, payload, attempts }) => [id, event, payload, attempts]),
      [ids[0], ids[2]].map((id) => [id, "agent:end", '{"x":1}', 0]),
    );
    assert.deepEqual(await store.claim("a", LEASE), []);
    assert.equal((await store.claim("b", { ...LEASE, limit: 1 })).length, 1);
  });

  test("a delivered one is over; a failed attempt is due again at its time", async () => {
    const { store, clock } = await open();
    const [first, second] = await store.add([message(), message()]);
    await store.claim("a", LEASE);
    await store.finish([
      outcome(first!, { kind: "delivered" }),
      outcome(second!, { kind: "again", inMs: 1000, counts: true }, 503),
    ]);
    assert.deepEqual(await store.claim("a", LEASE), []);
    assert.deepEqual([...(await store.due())], [["a", 1000]]);
    const [pending, delivered] = await store.list({});
    assert.deepEqual(
      [
        delivered!.status,
        delivered!.attempts,
        delivered!.delivered_at,
        delivered!.next_attempt_at,
        delivered!.last_status,
      ],
      ["delivered", 1, "2026-11-29T12:00:00.000Z", null, 200],
    );
    assert.deepEqual(
      [pending!.status, pending!.attempts, pending!.next_attempt_at, pending!.last_status, pending!.last_error],
      ["pending", 1, "2026-11-29T12:00:01.000Z", 503, "no"],
    );
    clock.now += 1000;
    assert.deepEqual(
      (await store.claim("a", LEASE)).map(({ id, attempts }) => [id, attempts]),
      [[second, 1]],
    );
  });

  test("an attempt that does not count is in the history only", async () => {
    const { store } = await open();
    const [id] = await store.add([message()]);
    await store.claim("a", LEASE);
    await store.finish([outcome(id!, { kind: "again", inMs: 0, counts: false }, null)]);
    const found = await store.get(id!);
    assert.deepEqual(
      [found!.attempts, found!.history],
      [0, [{ at: "2026-11-29T12:00:00.000Z", status: null, error: "no", duration_ms: 5 }]],
    );
  });

  test("a lease that ran out, was given back, or whose process is gone frees its deliveries", async () => {
    const { store, clock } = await open();
    const [id] = await store.add([message()]);
    const again = async () => (await store.claim("a", LEASE)).map((one) => one.id);
    assert.deepEqual(await again(), [id]);
    await store.releaseAbandoned();
    assert.deepEqual(await again(), [], "its process is alive");
    clock.now += LEASE.leaseMs;
    assert.deepEqual(await again(), [id]);
    await store.release([id!]);
    assert.deepEqual(await again(), [id]);
  });

  test("deliveries that a killed process was sending are free at once", async (t) => {
    const shared = await engine.shared(t);
    const { deliveries: store } = await shared.open();
    const [id] = await store.add([message()]);
    const killed = spawnSync(process.execPath, [
      "--input-type=module",
      "-e",
      `const { deliveries } = ${shared.code};
       const claimed = await deliveries.claim("a", ${JSON.stringify(LEASE)});
       process.stdout.write(String(claimed.length));
       process.kill(process.pid, "SIGKILL");`,
    ]);
    assert.equal(killed.stdout.toString(), "1", killed.stderr.toString());
    assert.deepEqual(await store.claim("a", LEASE), []);
    assert.equal(await store.releaseAbandoned(), false);
    assert.deepEqual(
      (await store.claim("a", LEASE)).map((one) => one.id),
      [id],
    );
  });

  test("processes that claim side by side never get the same delivery", async (t) => {
    const shared = await engine.shared(t);
    const stores = [(await shared.open()).deliveries, (await shared.open()).deliveries];
    const ids = await stores[0]!.add(Array.from({ length: 40 }, () => message()));
    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, number) => stores[number % 2]!.claim("a", { limit: 5, leaseMs: 60_000 })),
    );
    assert.deepEqual(
      claims
        .flat()
        .map(({ id }) => id)
        .toSorted(),
      ids.toSorted(),
    );
  });

  test("every character of a text comes back", async () => {
    const { store } = await open();
    const odd = "nul \u0000, one \u0001, both \u0001\u0000 \u00010, smile \u{1F600}, quote ' and \\";
    const [id] = await store.add([{ ...message(odd), payload: JSON.stringify(odd) }]);
    const [claimed] = await store.claim(odd, LEASE);
    assert.deepEqual([claimed?.endpoint, JSON.parse(claimed!.payload)], [odd, odd]);
    const sent = outcome(id!, { kind: "failed" });
    await store.finish([{ ...sent, attempt: { ...sent.attempt, error: odd } }]);
    const found = await store.get(id!);
    assert.deepEqual([found?.last_error, found?.history[0]?.error], [odd, odd]);
  });

  test("the clock set back an hour holds nothing up", async () => {
    const { store, clock } = await open();
    const [retried, leased, fresh] = await store.add([message("a"), message("b"), message("c")]);
    await store.claim("a", LEASE);
    await store.finish([outcome(retried!, { kind: "again", inMs: 1000, counts: true })]);
    await store.claim("b", LEASE);
    clock.now -= 3_600_000;
    assert.ok([...(await store.due()).values()].every((inMs) => inMs <= 0));
    for (const [endpoint, id] of Object.entries({ a: retried, b: leased, c: fresh })) {
      assert.deepEqual(
        (await store.claim(endpoint, LEASE)).map((one) => one.id),
        [id],
        endpoint,
      );
    }
  });

  test("an endpoint that is gone gets nothing until it is enabled; redelivering sends what was held back", async () => {
    const { store } = await open();
    const [first, waiting] = await store.add([message(), message()]);
    await store.claim("a", { ...LEASE, limit: 1 });
    await store.finish([outcome(first!, { kind: "gone" }, 410)]);
    assert.deepEqual([...(await store.disabledEndpoints())], ["a"]);
    const [later] = await store.add([message()]);
    const statusOf = async (id: string | undefined) => (await store.get(id!))?.status;
    assert.deepEqual(await Promise.all([first, waiting, later].map(statusOf)), ["failed", "disabled", "disabled"]);
    assert.deepEqual(await store.claim("a", LEASE), []);
    assert.equal(await store.redeliver([later!]), 1);
    assert.deepEqual(
      (await store.claim("a", LEASE)).map(({ id }) => id),
      [later],
    );
    assert.equal(await store.redeliver([later!]), 0, "it is pending already");
    assert.deepEqual([await store.enableEndpoint("a"), await store.enableEndpoint("a")], [true, false]);
    const [fresh] = await store.add([message()]);
    assert.equal(await statusOf(fresh), "pending");
  });

  test("one is claimed whatever its state, unless somebody is sending it", async () => {
    const { store } = await open();
    const [id] = await store.add([message()]);
    assert.equal((await store.claimOne(id!, LEASE))?.id, id);
    assert.equal(await store.claimOne(id!, LEASE), undefined);
    await store.finish([outcome(id!, { kind: "failed" })]);
    assert.equal((await store.claimOne(id!, LEASE))?.id, id);
    assert.equal(await store.claimOne("missing", LEASE), undefined);
  });

  test("lists are filtered and limited, ids are found by their beginning, failures by their time", async () => {
    const { store, clock } = await open();
    const ids = await store.add([message("a"), message("b"), message("a")]);
    await store.finish([outcome(ids[0]!, { kind: "failed" })]);
    clock.now += 1000;
    await store.finish([outcome(ids[1]!, { kind: "failed" })]);
    const listed = async (filter: Parameters<typeof store.list>[0]) => (await store.list(filter)).map(({ id }) => id);
    assert.deepEqual(await listed({}), ids.toReversed());
    assert.deepEqual(await listed({ status: "failed" }), [ids[1], ids[0]]);
    assert.deepEqual(await listed({ endpoint: "a", limit: 1 }), [ids[2]]);
    assert.deepEqual(await store.find(ids[1]!.slice(0, 12)), [ids[1]]);
    assert.deepEqual(await store.find("%"), []);
    assert.deepEqual(await store.failedSince(new Date(START + 1)), [ids[1]]);
    assert.deepEqual(Object.fromEntries(await store.counts()), {
      a: { pending: 1, failed: 1 },
      b: { pending: 0, failed: 1 },
    });
  });

  test("what ended long ago is deleted with its attempts, what waits too long is given up", async () => {
    const { store, clock } = await open();
    const [ended, waiting] = await store.add([message(), message()]);
    await store.finish([outcome(ended!, { kind: "delivered" })]);
    clock.now += 10_000;
    await store.prune({ ended: new Date(START + 1), created: new Date(START) });
    assert.equal(await store.get(ended!), undefined);
    assert.equal((await store.get(waiting!))?.status, "pending");
    await store.prune({ ended: new Date(START), created: new Date(START + 1) });
    const given = await store.get(waiting!);
    assert.deepEqual([given?.status, given?.last_error], ["failed", "it could not be delivered for a week"]);
  });
}
