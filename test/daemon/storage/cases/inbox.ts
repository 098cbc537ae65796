/** What a store of inboxes promises, whatever its engine: the specification of `InboxStore`. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import fc from "fast-check";
import {
  AGED_MS,
  DEDUP_MS,
  INBOX_SOURCES,
  MOST_QUEUED,
  type ClaimMessageOptions,
  type InboxStore,
  type NewInboxMessage,
} from "#core/ports/inbox";
import { processStartOf } from "#core/process-identity";
import { START, type StorageEngine } from "../../../helpers/storages.ts";

const HOLDER = { pid: process.pid, start: processStartOf(process.pid) };
const TASK = {
  prompt: "p",
  cwd: "/",
  maxTurns: null,
  timeout: 0,
  submittedOn: "daemon",
  idempotencyKey: null,
  runner: null,
};

const message = (rest: Partial<NewInboxMessage> = {}): NewInboxMessage => ({
  session: "s",
  source: "inject",
  label: "send",
  content: "hello",
  ...rest,
});

async function stored(store: InboxStore, rest: Partial<NewInboxMessage> = {}): Promise<string> {
  const added = await store.add(message(rest));
  assert.equal(added.kind, "stored");
  return added.kind === "stored" ? added.id : "";
}

/** As many messages as may wait. */
async function fill(store: InboxStore, count = MOST_QUEUED): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => store.add(message())));
}

/** The pairs of a reversed list have their members in the wrong order. */
function paired(content: string): string {
  return content.endsWith("1") ? content.replace("1", "2") : content.replace("2", "1");
}

/** The cases, each on an empty storage of the engine. */
export function inboxCases(engine: StorageEngine): void {
  async function open() {
    const { storage, clock } = await engine.open();
    const store = storage.inbox;
    const claim = (rest: Partial<ClaimMessageOptions> = {}) =>
      store.claim({ session: "s", holder: HOLDER, order: "priority", ...rest });
    /** Claims until nothing is left. */
    async function drain(rest: Partial<ClaimMessageOptions> = {}): Promise<string[]> {
      const contents = [];
      for (let got = await claim(rest); got !== undefined; got = await claim(rest)) contents.push(got.content);
      return contents;
    }
    return { clock, store, claim, drain };
  }

  test("a message is queued, claimed once, ended, and says so at each step", async () => {
    const { store, claim } = await open();
    const id = await stored(store, { source: "webhook", label: "push", content: "a push" });
    assert.match(id, /^[a-z0-9]{16}$/);
    const shown = { id, source: "webhook", label: "push", content: "a push", created_at: "2026-11-29T12:00:00.000Z" };
    assert.deepEqual(await store.get(id), { ...shown, state: "queued" });
    assert.deepEqual(await claim(), { id, source: "webhook", label: "push", content: "a push", cuts: 0 });
    assert.equal((await store.get(id))?.state, "running");
    assert.equal(await claim(), undefined);
    assert.equal(await store.end([id], "done"), 1);
    assert.equal(await store.end([id], "failed"), 0, "it is over");
    assert.deepEqual(await store.list("s"), [{ ...shown, state: "done" }]);
    assert.equal(await store.get("missing"), undefined);
  });

  test("sessions don't see each other's messages", async () => {
    const { store, claim } = await open();
    await stored(store);
    const other = await stored(store, { session: "t" });
    assert.equal((await claim({ session: "t" }))?.id, other);
    assert.equal(await claim({ session: "t" }), undefined);
    assert.equal((await store.list("s")).length, 1);
  });

  test("messages come by source, first come first served inside one; fifo ignores the source", async () => {
    const { store, drain } = await open();
    for (const source of INBOX_SOURCES.toReversed()) {
      for (const number of [1, 2]) await stored(store, { source, content: `${source} ${number}` });
    }
    assert.deepEqual(
      (await store.list("s")).map(({ content }) => content),
      INBOX_SOURCES.toReversed().flatMap((source) => [`${source} 1`, `${source} 2`]),
      "listed as they came",
    );
    const ids = (await store.list("s")).map(({ id }) => id);
    const byRank = await drain();
    assert.deepEqual(
      byRank,
      INBOX_SOURCES.flatMap((source) => [`${source} 1`, `${source} 2`]),
    );
    await store.release(ids);
    assert.deepEqual(await drain({ order: "fifo" }), byRank.toReversed().map(paired));
  });

  test("what has waited a minute goes first, the oldest of all first", async () => {
    const { store, drain, clock } = await open();
    await stored(store, { source: "webhook", content: "first" });
    clock.now += 1;
    await stored(store, { source: "inject", content: "second" });
    clock.now = START + AGED_MS;
    await stored(store, { source: "schedule", content: "third" });
    assert.deepEqual(await drain(), ["first", "third", "second"]);
  });

  test("only the sources that are asked for are handed out", async () => {
    const { store, claim, clock } = await open();
    await stored(store, { source: "inject" });
    const report = await stored(store, { source: "background" });
    clock.now += 2 * AGED_MS;
    assert.equal((await claim({ sources: ["background", "skill"] }))?.id, report);
    assert.equal(await claim({ sources: ["background", "skill"] }), undefined);
  });

  test("the order is that of a sorted list, whatever comes and whenever (property)", async () => {
    const arrival = fc.record({
      source: fc.constantFrom(...INBOX_SOURCES),
      after: fc.integer({ min: 0, max: 50_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(arrival, { maxLength: 30 }), fc.boolean(), async (arrivals, isFifo) => {
        const { store, drain, clock } = await open();
        const expected: { number: number; at: number; rank: number }[] = [];
        for (const [number, { source, after }] of arrivals.entries()) {
          clock.now += after;
          await stored(store, { source, content: String(number) });
          expected.push({ number, at: clock.now, rank: INBOX_SOURCES.indexOf(source) });
        }
        const rankOf = ({ at, rank }: { at: number; rank: number }) =>
          isFifo || clock.now - at >= AGED_MS ? -1 : rank;
        const sorted = expected.toSorted((one, other) => rankOf(one) - rankOf(other) || one.number - other.number);
        assert.deepEqual(
          await drain({ order: isFifo ? "fifo" : "priority" }),
          sorted.map(({ number }) => String(number)),
        );
      }),
      { numRuns: engine.runs },
    );
  });

  test("a thousand wait in a session, and no more; what is running or ended does not count", async () => {
    const { store, claim } = await open();
    await fill(store);
    assert.deepEqual(await store.add(message({ dedup: [{ scope: "a", id: "1" }] })), { kind: "full" });
    assert.equal(await store.isRemembered({ scope: "a", id: "1" }), false, "a refused one may come again");
    await stored(store, { session: "t" });
    await claim();
    await stored(store);
    assert.equal((await store.queued("s")).get("inject"), MOST_QUEUED);
  });

  test("waiting messages are counted by source, in a session and in all", async () => {
    const { store, claim } = await open();
    await stored(store, { source: "webhook" });
    await stored(store, { source: "webhook", session: "t" });
    await stored(store, { source: "skill" });
    await claim();
    const zeros = { schedule: 0, background: 0, skill: 0, inject: 0, webhook: 0 };
    assert.deepEqual(Object.fromEntries(await store.queued()), { ...zeros, webhook: 2 });
    assert.deepEqual(Object.fromEntries(await store.queued("t")), { ...zeros, webhook: 1 });
    assert.deepEqual(Object.fromEntries(await store.queued("nobody")), zeros);
  });

  test("a message and its id are stored together, and an id is remembered for a day", async () => {
    const { store, clock } = await open();
    const key = { scope: "inbound:push", id: "abc" };
    await stored(store, { dedup: [key] });
    assert.equal(await store.isRemembered(key), true);
    assert.equal(await store.isRemembered({ ...key, scope: "inbound:other" }), false);
    assert.deepEqual(await store.add(message({ dedup: [key] })), { kind: "duplicate" });
    await stored(store, { dedup: [key, { ...key, id: "def" }] });
    assert.equal(await store.isRemembered({ ...key, id: "def" }), true, "one of several was new");
    assert.equal((await store.list("s")).length, 2);
    clock.now += DEDUP_MS;
    assert.equal(await store.isRemembered(key), false);
    await store.remember([key]);
    assert.equal(await store.isRemembered(key), true, "a request without a message succeeds, too");
  });

  test("what was cut is delivered again in its place, and has failed after three cut turns", async () => {
    const { store, claim } = await open();
    const first = await stored(store, { content: "first" });
    await stored(store, { content: "second" });
    for (const cuts of [0, 1, 2]) {
      assert.deepEqual([(await claim())?.id, cuts], [first, cuts]);
      assert.deepEqual(await store.cut([first]), cuts === 2 ? [first] : []);
    }
    assert.equal((await store.get(first))?.state, "failed");
    const next = await claim();
    assert.deepEqual([next?.content, next?.cuts], ["second", 0]);
    assert.deepEqual(await store.cut([first]), [], "it is over");
  });

  test("what was given back counts as never claimed", async () => {
    const { store, claim } = await open();
    const id = await stored(store);
    await claim();
    await store.release([id]);
    assert.equal((await store.get(id))?.state, "queued");
    assert.equal((await claim())?.cuts, 0);
  });

  test("messages of a killed process are cut; those of a living one are not, nor those of another session", async (t) => {
    const shared = await engine.shared(t);
    const { inbox: store } = await shared.open();
    const lost = await stored(store);
    const elsewhere = await stored(store, { session: "t" });
    const killed = spawnSync(process.execPath, [
      "--input-type=module",
      "-e",
      `const { processStartOf } = await import("#core/process-identity");
       const { inbox } = ${shared.code};
       const holder = { pid: process.pid, start: processStartOf(process.pid) };
       const claimed = [];
       for (const session of ["s", "t"]) claimed.push(await inbox.claim({ session, holder, order: "priority" }));
       process.stdout.write(claimed.map(({ id }) => id).join());
       process.kill(process.pid, "SIGKILL");`,
    ]);
    assert.equal(killed.stdout.toString(), `${lost},${elsewhere}`, killed.stderr.toString());
    const held = await stored(store);
    await store.claim({ session: "s", holder: HOLDER, order: "priority" });
    assert.deepEqual(await store.cutAbandoned("s"), []);
    const states = await Promise.all([lost, held, elsewhere].map(async (id) => (await store.get(id))?.state));
    assert.deepEqual(states, ["queued", "running", "running"]);
    assert.equal((await store.claim({ session: "s", holder: HOLDER, order: "priority" }))?.cuts, 1);
  });

  test("processes that claim side by side never get the same message", async (t) => {
    const shared = await engine.shared(t);
    const stores = [(await shared.open()).inbox, (await shared.open()).inbox];
    const ids = [];
    for (let number = 0; number < 20; number++) ids.push(await stored(stores[number % 2]!));
    const claims = await Promise.all(
      ids.map((_, number) => stores[number % 2]!.claim({ session: "s", holder: HOLDER, order: "priority" })),
    );
    assert.deepEqual(new Set(claims.map((one) => one?.id)), new Set(ids));
  });

  test("the clock set back an hour holds nothing up and keeps the order", async () => {
    const { store, drain, clock } = await open();
    await stored(store, { source: "webhook", content: "before" });
    await stored(store, { dedup: [{ scope: "a", id: "1" }], content: "id" });
    clock.now -= 3_600_000;
    await stored(store, { source: "schedule", content: "after" });
    assert.equal(await store.isRemembered({ scope: "a", id: "1" }), true);
    assert.deepEqual(await drain(), ["before", "id", "after"]);
  });

  test("lists are filtered and limited to the latest", async () => {
    const { store, claim } = await open();
    const ids = [await stored(store), await stored(store), await stored(store)];
    await claim();
    const listed = async (filter: Parameters<typeof store.list>[1]) =>
      (await store.list("s", filter)).map(({ id }) => id);
    assert.deepEqual(await listed({}), ids);
    assert.deepEqual(await listed({ state: "running" }), [ids[0]]);
    assert.deepEqual(await listed({ limit: 2 }), ids.slice(1));
  });

  test("only what ended long enough ago is deleted, and ids that are no longer remembered", async () => {
    const { store, claim, clock } = await open();
    const [old, fresh] = [await stored(store), await stored(store)];
    const waiting = await stored(store, { dedup: [{ scope: "a", id: "1" }] });
    await claim();
    await store.end([old], "failed");
    clock.now += 10_000;
    await claim();
    await store.end([fresh], "done");
    await store.prune(new Date(START + 1));
    const left = async () => (await store.list("s")).map(({ id }) => id);
    assert.deepEqual(await left(), [fresh, waiting]);
    assert.equal(await store.isRemembered({ scope: "a", id: "1" }), true);
    clock.now += DEDUP_MS;
    await store.prune(new Date(clock.now));
    assert.deepEqual(await left(), [waiting]);
    clock.now -= DEDUP_MS;
    assert.equal(await store.isRemembered({ scope: "a", id: "1" }), false);
  });

  test("sessions with messages that are not handled yet are counted, also what runs", async () => {
    const { store, claim } = await open();
    assert.deepEqual([...(await store.waiting())], []);
    for (const session of ["s", "b", "s", "", "日本語", "over"]) await stored(store, { session });
    await claim();
    const over = await claim({ session: "over" });
    await store.end([over!.id], "failed");
    assert.deepEqual(
      await store.waiting(),
      new Map([
        ["", 1],
        ["b", 1],
        ["s", 2],
        ["日本語", 1],
      ]),
    );
  });

  test("no more than a thousand are stored, and an id once, also when they come side by side", async (t) => {
    const shared = await engine.shared(t);
    const stores = [(await shared.open()).inbox, (await shared.open()).inbox];
    await fill(stores[0]!, MOST_QUEUED - 3);
    const add = (rest: Partial<NewInboxMessage>, number: number) => stores[number % 2]!.add(message(rest));
    const numbers = Array.from({ length: 10 }, (_, number) => number);
    const same = { dedup: [{ scope: "a", id: "1" }] };
    const kindsOf = async (rest: Partial<NewInboxMessage>) =>
      (await Promise.all(numbers.map((number) => add(rest, number)))).map(({ kind }) => kind).toSorted();
    assert.deepEqual(await kindsOf(same), [...Array.from({ length: 9 }, () => "duplicate"), "stored"]);
    assert.deepEqual(await kindsOf({}), [...Array.from({ length: 8 }, () => "full"), "stored", "stored"]);
  });
}

/** What is between an inbox and the tasks of the same storage. */
export function taskReportCases(engine: StorageEngine): void {
  test("the report of a task is stored once, while it is awaited", async () => {
    const { storage } = await engine.open();
    const store = storage.inbox;
    const submit = async (reportTo?: string) => (await storage.tasks.submit({ ...TASK, reportTo })).id;
    const [first, second] = [await submit("s"), await submit("s")];
    await submit();
    assert.deepEqual(await store.awaitedTasks("s"), [first, second]);
    assert.deepEqual(await store.awaitedTasks("t"), []);
    const report = message({ source: "background", label: first, content: "it ended" });
    assert.equal((await store.report(first, report)).kind, "stored");
    assert.deepEqual(await store.report(first, report), { kind: "duplicate" });
    assert.deepEqual(await store.awaitedTasks("s"), [second]);
    await fill(store, MOST_QUEUED - 1);
    assert.deepEqual(await store.report(second, report), { kind: "full" });
    assert.deepEqual(await store.awaitedTasks("s"), [second], "it is stored when there is room");
  });
}
