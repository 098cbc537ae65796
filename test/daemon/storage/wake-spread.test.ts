/** Of many workers that hear of a task, few look at the same moment. */
import assert from "node:assert/strict";
import test from "node:test";
import { WakeSpread } from "#daemon/storage/postgres/wake-spread";

function listen(workers: number) {
  const heard: string[] = [];
  return {
    heard,
    spread: new WakeSpread(
      (kind, session) => heard.push(session ?? kind),
      () => workers,
    ),
  };
}

test("a single worker looks at once", () => {
  const { heard, spread } = listen(1);
  spread.take("tasks");
  assert.deepEqual(heard, ["tasks"]);
});

test("one of many looks a little later, once for all that it heard meanwhile", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { heard, spread } = listen(50);
  for (let number = 0; number < 10; number++) spread.take("tasks");
  assert.deepEqual(heard, []);
  t.mock.timers.tick(200);
  assert.deepEqual(heard, ["tasks"]);
  spread.take("tasks");
  t.mock.timers.tick(200);
  assert.equal(heard.length, 2);
});

test("only tasks wait: a message for a daemon has one reader", () => {
  const { heard, spread } = listen(50);
  spread.take("inbox", "ci-watcher");
  assert.deepEqual(heard, ["ci-watcher"]);
});

test("nothing is heard after the end", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { heard, spread } = listen(50);
  spread.take("tasks");
  spread[Symbol.dispose]();
  t.mock.timers.tick(200);
  assert.deepEqual(heard, []);
});
