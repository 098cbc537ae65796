/** What a program that goes on running starts before the first event of its gateway hooks. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { HandlerTier } from "#core/ports/tier";
import { makeHookBench, type HookBench } from "../../helpers/gateway-hooks.ts";

const HANDLER = "export function handle() {}";

/** A bench with a hook for each of `isolations`, and what was done to its tiers. */
async function load(t: TestContext, isolations: readonly string[]): Promise<{ bench: HookBench; done: string[] }> {
  const done: string[] = [];
  const bench = makeHookBench(t, {
    worker: async (name) => {
      done.push(`create ${name}`);
      return tier(name, done);
    },
  });
  for (const isolation of isolations) {
    const manifest = `events: [agent:end]\nisolation: ${isolation}\n`;
    bench.write(isolation, { "HOOK.yaml": manifest, "handler.ts": HANDLER });
  }
  await bench.host.load();
  return { bench, done };
}

function tier(source: HandlerTier["source"], done: string[]): HandlerTier {
  return {
    source,
    prepare: () => void done.push(`prepare ${source}`),
    open: () => assert.fail("no event was emitted"),
    [Symbol.asyncDispose]: async () => void done.push(`end ${source}`),
  };
}

/** Lets the timers of a second pass, and what they started. */
async function passSecond(t: TestContext): Promise<void> {
  t.mock.timers.tick(1000);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

test("after a second, only the tier that takes long to start is prepared, once", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { bench, done } = await load(t, ["worker", "isolate"]);
  assert.deepEqual(done, []);
  await passSecond(t);
  assert.deepEqual(done, ["create isolate", "prepare isolate"]);
  await bench.host.reload();
  await passSecond(t);
  assert.deepEqual(done.slice(2), ["prepare isolate"], "after a reload its tier is the same one");
});

test("nothing is prepared without such hooks, or once the program ends", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { done } = await load(t, ["worker"]);
  await passSecond(t);
  assert.deepEqual(done, []);
  const ended = await load(t, ["isolate"]);
  await ended.bench.host[Symbol.asyncDispose]();
  await passSecond(t);
  assert.deepEqual(ended.done, []);
});
