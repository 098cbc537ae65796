/** How a process keeps its attempt, and when it has to give it up. */
import assert from "node:assert/strict";
import test from "node:test";
import { Lease } from "#daemon/storage/postgres/lease";
import { until } from "../../helpers/poll.ts";

const TIMES = { leaseMs: 1000, renewMs: 20, marginMs: 50 };

function listen() {
  const heard: string[] = [];
  return {
    heard,
    listener: { onLost: (why: string) => void heard.push(why), onCancel: () => void heard.push("cancel") },
  };
}

test("a lease that is renewed is kept, one that cannot be is lost when it is over", async (t) => {
  const { heard, listener } = listen();
  let isAway = false;
  let renewed = 0;
  const lease = new Lease(
    async () => {
      if (isAway) throw new Error("away");
      renewed++;
      return "kept";
    },
    listener,
    TIMES,
  );
  t.after(() => lease[Symbol.dispose]());
  const started = performance.now();
  // For longer than one lease.
  await until(() => performance.now() - started > 2 * TIMES.leaseMs, "time passes");
  assert.deepEqual(heard, []);
  assert.ok(renewed > 2);
  isAway = true;
  await until(() => heard.length > 0, "it is lost");
  assert.deepEqual(heard, ["expired"]);
});

test("a database that answers nothing at all does not hold the end of a lease up", async (t) => {
  const { heard, listener } = listen();
  const lease = new Lease(() => new Promise(() => undefined), listener, TIMES);
  t.after(() => lease[Symbol.dispose]());
  await until(() => heard.length > 0, "it is lost");
  assert.deepEqual(heard, ["expired"]);
});

test("an attempt that is over elsewhere is lost at once, a cancelled one is told once", async (t) => {
  const { heard, listener } = listen();
  const answers = ["cancelled", "cancelled", "gone"] as const;
  let asked = 0;
  const lease = new Lease(async () => answers[Math.min(asked++, 2)]!, listener, TIMES);
  t.after(() => lease[Symbol.dispose]());
  await until(() => heard.includes("ended"), "it is lost");
  assert.deepEqual(heard, ["cancel", "ended"]);
});
