/** What a store of inbound webhooks' runs promises, whatever its engine: the specification of `InboundRunStore`. */
import assert from "node:assert/strict";
import test from "node:test";
import type { InboundRunStore, NewInboundRun } from "#core/ports/inbound";
import { START, type StorageEngine } from "../../../helpers/storages.ts";

const BODY = new Uint8Array([0, 1, 255]);
const VARIABLES = { HOOK_NAME: "push", HOOK_QUERY: "a=\u0000" };

const run = (rest: Partial<NewInboundRun> = {}): NewInboundRun => ({
  session: "s",
  hook: "push",
  variables: VARIABLES,
  body: BODY,
  dedupId: null,
  coalesce: null,
  ...rest,
});

async function stored(store: InboundRunStore, rest: Partial<NewInboundRun> = {}): Promise<string> {
  const added = await store.add(run(rest), 100);
  assert.equal(added.kind, "stored");
  return added.kind === "stored" ? added.id : "";
}

/** The cases, each on an empty storage of the engine. */
export function inboundRunsCases(engine: StorageEngine): void {
  async function open() {
    const { storage, clock } = await engine.open();
    return { clock, store: storage.inboundRuns };
  }

  test("a run is queued, claimed once, oldest first, ended, and says so at each step", async () => {
    const { store, clock } = await open();
    const id = await stored(store);
    const later = await stored(store);
    const other = await stored(store, { hook: "other" });
    const nothing = { status: null, exit_code: null, started_at: null, ended_at: null, hook: "push", session: "s" };
    assert.deepEqual(await store.get(id), { run_id: id, state: "queued", ...nothing });
    assert.deepEqual(await store.claim("s", "push"), { id, variables: VARIABLES, body: BODY });
    assert.equal((await store.claim("s", "push"))?.id, later);
    assert.equal(await store.claim("s", "push"), undefined);
    assert.equal((await store.claim("s", "other"))?.id, other);
    clock.now += 1000;
    await store.end([id, later], { state: "done", status: 200 }, 0);
    assert.deepEqual(await store.get(id), {
      ...nothing,
      run_id: id,
      state: "done",
      status: 200,
      exit_code: 0,
      started_at: "2026-11-29T12:00:00.000Z",
      ended_at: "2026-11-29T12:00:01.000Z",
    });
    await store.prune(new Date(START + 1001));
    assert.deepEqual(await Promise.all([id, later].map((one) => store.get(one))), [undefined, undefined]);
    assert.equal((await store.get(other))?.state, "running");
  });

  test("a run is refused when its id is in flight or too many wait, also side by side", async () => {
    const { store } = await open();
    const id = await stored(store, { dedupId: "1" });
    assert.deepEqual(await store.add(run({ dedupId: "1" }), 100), { kind: "in_flight" });
    await stored(store, { dedupId: "1", hook: "other" });
    await store.claim("s", "push");
    assert.deepEqual(await store.add(run({ dedupId: "1" }), 100), { kind: "in_flight" }, "it runs");
    await store.end([id], { state: "failed", status: 500 });
    await stored(store, { dedupId: "1" });
    const kinds = await Promise.all(Array.from({ length: 8 }, () => store.add(run(), 3)));
    assert.deepEqual(kinds.map(({ kind }) => kind).toSorted(), [...Array(6).fill("full"), "stored", "stored"]);
  });

  test("what was cut is queued again; an output that was kept is not run again", async () => {
    const { store } = await open();
    const [first, second, kept] = [await stored(store), await stored(store), await stored(store)];
    const elsewhere = await stored(store, { session: "t" });
    for (const id of [first, second, kept]) assert.equal((await store.claim("s", "push"))?.id, id);
    await store.claim("t", "push");
    await store.keepOutput(kept, "output\u0000", 0);
    await store.release(second);
    assert.equal((await store.claim("s", "push"))?.id, second);
    await store.releaseAll("s");
    const states = await Promise.all([first, second, kept, elsewhere].map(async (id) => (await store.get(id))?.state));
    assert.deepEqual(states, ["queued", "queued", "running", "running"]);
    assert.deepEqual(await store.wholeGroups("s"), [
      { hook: "push", runs: [{ id: kept, output: "output\u0000", dedupId: null }] },
    ]);
    assert.equal((await store.get(kept))?.exit_code, 0);
  });

  test("outputs of one key and window are one group, once the window is over and all have run", async () => {
    const { store, clock } = await open();
    const coalesce = { key: "main", windowMs: 1000 };
    const first = await stored(store, { coalesce, dedupId: "1" });
    clock.now += 400;
    const second = await stored(store, { coalesce });
    const other = await stored(store, { coalesce: { key: "other", windowMs: 1000 } });
    assert.equal(await store.nextWindowEnd("s"), 600);
    assert.equal(await store.nextWindowEnd("t"), undefined);
    for (const id of [first, second, other]) {
      assert.equal((await store.claim("s", "push"))?.id, id);
      if (id !== second) await store.keepOutput(id, `of ${id}`, 0);
    }
    clock.now += 600;
    assert.deepEqual(await store.wholeGroups("s"), [], "one still runs, and the other window is open");
    assert.equal(await store.nextWindowEnd("s"), 400);
    await store.keepOutput(second, "second", 0);
    const whole = {
      hook: "push",
      runs: [
        { id: first, output: `of ${first}`, dedupId: "1" },
        { id: second, output: "second", dedupId: null },
      ],
    };
    assert.deepEqual(await store.wholeGroups("s"), [whole]);
    await store.end([first, second], { state: "done", status: 200 });
    const fresh = await stored(store, { coalesce });
    clock.now += 400;
    assert.deepEqual(
      (await store.wholeGroups("s")).map(({ runs }) => runs.map(({ id }) => id)),
      [[other]],
      "a further window of the key is a group of its own",
    );
    assert.equal((await store.get(fresh))?.state, "queued");
  });
}
