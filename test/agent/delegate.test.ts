import assert from "node:assert/strict";
import test from "node:test";
import { createBench, ECHO } from "../helpers/agent-bench.ts";

interface Results {
  results: { status: string; summary: string; session_id: string; duration_ms: number }[];
}

test("children run side by side; their starts come before them and their stops after all have ended", async () => {
  const both = Promise.withResolvers<void>();
  let running = 0;
  const bench = createBench({
    tools: [
      {
        ...ECHO,
        execute: async () => {
          if (++running === 2) both.resolve();
          await both.promise;
        },
      },
    ],
  });
  bench.listen();
  await bench.turn('@delegate_task {"tasks":[{"goal":"run `a`"},{"goal":"run `b`","context":"more"}]}');
  const names = bench.fired.map(({ event }) => event);
  const starts = names.flatMap((event, index) => (event === "subagent_start" ? [index] : []));
  const stops = names.flatMap((event, index) => (event === "subagent_stop" ? [index] : []));
  assert.deepEqual([starts.length, stops.length], [2, 2]);
  const children = bench.fired
    .map(({ payload }, index) => ({ id: payload["session_id"], index }))
    .filter(({ id }) => id !== bench.session.id);
  assert.ok(children.every(({ index }) => index > starts[1]! && index < stops[0]!));
  assert.equal(bench.fired[starts[0]!]?.payload["child_goal"], "run `a`");
  const { results } = JSON.parse(bench.framesOf("tool_result").at(-1)!.content) as Results;
  assert.deepEqual(
    results.map(({ status }) => status),
    ["completed", "completed"],
  );
  assert.deepEqual(
    results.map(({ session_id }) => session_id),
    starts.map((index) => bench.fired[index]?.payload["child_session_id"]),
  );
});

test("a child's text gets no frames in the user's session; its hooks and calls do, and its tokens are added", async () => {
  const bench = createBench();
  bench.hook("pre_tool_call", () => undefined);
  await bench.turn('delegate "run `a`"');
  const other = bench.frames.filter(({ session_id }) => session_id !== bench.session.id);
  assert.deepEqual(other, []);
  assert.equal(bench.framesOf("assistant").length, 1);
  assert.equal(bench.framesOf("result").length, 1);
  assert.deepEqual(
    bench.framesOf("tool_use").map(({ tool }) => tool),
    ["delegate_task", "terminal"],
  );
  assert.equal(bench.framesOf("hook").length, 2);
});

test("the deepest child is 3; beyond it delegate_task is an error", async () => {
  const depths: number[] = [];
  const bench = createBench({ tools: [{ ...ECHO, execute: async (_, { depth }) => depths.push(depth) }] });
  const nest = (goal: string, levels: number): string =>
    levels === 0 ? goal : nest(`@delegate_task ${JSON.stringify({ goal })}`, levels - 1);
  await bench.turn(nest("run `deep`", 3));
  assert.deepEqual(depths, [3]);
  await bench.turn(nest("run `too deep`", 4));
  assert.deepEqual(depths, [3]);
  assert.ok(bench.framesOf("tool_result").some(({ content }) => content.includes("3 levels deep at most")));
});

test("a child that reaches the limit has failed, one without a model has an error", async () => {
  const bench = createBench();
  bench.listen();
  await bench.turn('delegate "run `a` run `b` run `c`"', { maxIterations: 2 });
  const stop = bench.fired.find(({ event }) => event === "subagent_stop")?.payload;
  assert.equal(stop?.["child_status"], "failed");
  assert.match(String(stop?.["child_summary"]), /terminal returned/);
});

test("children of an interrupted turn are interrupted, and their stops and ends still fire", async () => {
  const controller = new AbortController();
  const bench = createBench({
    tools: [
      {
        ...ECHO,
        execute: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => reject(new Error("stopped")));
            controller.abort();
          }),
      },
    ],
  });
  bench.listen();
  const result = await bench.turn('delegate "run `a`"', { signal: controller.signal });
  assert.equal(result.interrupted, true);
  const stop = bench.fired.find(({ event }) => event === "subagent_stop")?.payload;
  assert.equal(stop?.["child_status"], "interrupted");
  assert.equal(bench.fired.filter(({ event }) => event === "on_session_end").length, 2);
});

for (const args of ["{}", '{"tasks":[]}', '{"tasks":[{}]}', '{"goal":7}']) {
  test(`delegate_task refuses ${args}`, async () => {
    const bench = createBench();
    await bench.turn(`@delegate_task ${args}`);
    assert.equal(bench.framesOf("tool_result")[0]?.success, false);
    assert.equal(bench.sessions.list({ children: true }).length, 1);
  });
}
