/** The helper that waits: a test that waits for the wrong thing must fail, and say for what. */
import assert from "node:assert/strict";
import test from "node:test";
import { until } from "../helpers/poll.ts";

test("the condition's value is given once there is one; undefined, null and false are none", async () => {
  const values = [undefined, null, false, 0];
  assert.equal(await until(() => values.shift(), "a value"), 0);
  assert.deepEqual(values, []);
  const later = [false, "there"];
  assert.equal(await until(async () => later.shift(), "a promised value"), "there");
});

test("a wait in vain fails, says for what, and shows how far it came", async () => {
  let asked = 0;
  const failure = await until(() => ++asked < 0, "the number is negative", {
    withinMs: 20,
    seen: () => ({ asked }),
  }).then(
    () => assert.fail("it came true"),
    (error: unknown) => error as Error,
  );
  assert.equal(failure.message, `waited 0.02 s in vain: the number is negative\n{\n  "asked": ${asked}\n}`);
  assert.ok(asked > 1, "it was looked at more than once");
});

test("what is there only at the deadline is found", async () => {
  let asked = 0;
  assert.equal(await until(() => ++asked === 1, "the first look", { withinMs: 0 }), true);
});

test("a condition that throws fails the wait at once", async () => {
  let asked = 0;
  const broken = () => {
    asked++;
    throw new TypeError("a mistake in the test");
  };
  await assert.rejects(until(broken, "never"), TypeError);
  assert.equal(asked, 1);
});
