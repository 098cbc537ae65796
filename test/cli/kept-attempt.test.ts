/** How the process of a task ends when the database is away, or somebody else has its attempt. */
import assert from "node:assert/strict";
import test from "node:test";
import { HermesError } from "#core/errors";
import type { AttemptListener } from "#core/ports/tasks";
import { KeptAttempt } from "#cli/tasks/kept-attempt";

const AWAY = () => new HermesError("HERMES_DATABASE_UNAVAILABLE", { database: "d", problem: "p" });

function keep({ endsItself = false } = {}) {
  let heard: AttemptListener | undefined;
  let interrupts = 0;
  let disposed = 0;
  const store = {
    keep(_id: string, _attempt: number, listener: AttemptListener) {
      heard = listener;
      return { [Symbol.dispose]: () => void disposed++ };
    },
  };
  const kept = new KeptAttempt({ store, id: "a", attempt: 1, interrupt: () => void interrupts++, endsItself });
  return { kept, heard: heard!, counts: () => ({ interrupts, disposed }) };
}

test("an end is stored again and again while the database is away", async () => {
  const { kept } = keep();
  let tries = 0;
  const stored = kept.store(async () => {
    if (++tries < 2) throw AWAY();
    return "stored";
  });
  assert.equal(await stored, "stored");
  await assert.rejects(
    kept.store(async () => {
      throw new Error("a mistake");
    }),
    /a mistake/,
  );
});

test("a lost attempt is interrupted, and nothing of it is stored", async () => {
  const { kept, heard, counts } = keep();
  heard.onLost("expired");
  assert.equal(await kept.store(async () => assert.fail("it is not stored")), undefined);
  assert.deepEqual([kept.isLost, counts().interrupts], [true, 1]);
  kept[Symbol.dispose]();
  assert.equal(counts().disposed, 1);
});

test("a lease that ends while the end is being stored ends the wait; the end itself does not", async () => {
  const hanging = keep();
  const stored = hanging.kept.store(() => new Promise<string>(() => undefined));
  hanging.heard.onLost("expired");
  assert.equal(await stored, undefined);
  assert.equal(hanging.counts().interrupts, 0, "the turn is over already");
  const ending = keep();
  const end = ending.kept.store(async () => {
    ending.heard.onLost("ended");
    return "stored";
  });
  assert.equal(await end, "stored");
});

test("a process without a worker ends itself when its task is cancelled elsewhere", () => {
  for (const endsItself of [true, false]) {
    const { heard, counts } = keep({ endsItself });
    heard.onCancel();
    assert.equal(counts().interrupts, endsItself ? 1 : 0);
  }
});
