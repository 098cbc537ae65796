import assert from "node:assert/strict";
import test from "node:test";
import { planCompaction, withoutCompacted } from "#agent/compaction";
import { repairHistory } from "#agent/history";
import type { ChatMessage } from "#core/messages";
import { problemOf } from "#core/errors";
import { createBench, ECHO } from "../helpers/agent-bench.ts";

const user = (content: string): ChatMessage => ({ role: "user", content });
const answer = (content: string): ChatMessage => ({ role: "assistant", content });
const call = (id: string): ChatMessage => ({
  role: "assistant",
  content: null,
  tool_calls: [{ id, type: "function", function: { name: "terminal", arguments: "{}" } }],
});
const done = (id: string, content = "ok"): ChatMessage => ({ role: "tool", tool_call_id: id, content });
const summary = (compacts: number): ChatMessage => ({ role: "system", content: "summary", compacts });

test("the model gets texts of the surface, the last summary, and what came after the part it replaces", () => {
  const context: ChatMessage = { role: "system", content: "in a group" };
  const stored = [
    context,
    user("1"),
    answer("1"),
    user("2"),
    answer("2"),
    summary(3),
    user("3"),
    answer("3"),
    summary(6),
  ];
  assert.deepEqual(withoutCompacted(stored.slice(0, 5)), stored.slice(0, 5));
  assert.deepEqual(withoutCompacted(stored.slice(0, 8)), [
    context,
    summary(3),
    ...stored.slice(3, 5),
    ...stored.slice(6, 8),
  ]);
  assert.deepEqual(withoutCompacted(stored), [context, summary(6), user("3"), answer("3")]);
});

test("a turn that is cut between its steps begins with its user's message, and no call loses its result", () => {
  const stored = [user("go"), call("a"), done("a"), call("b"), done("b"), summary(3)];
  const view = withoutCompacted(stored);
  assert.deepEqual(view, [summary(3), user("go"), call("b"), done("b")]);
  assert.deepEqual(repairHistory(view), view);
});

test("/compact keeps the last two exchanges, or the last one when there are two; one alone stays", () => {
  const stored = [user("1"), answer("1"), user("2"), answer("2"), user("3"), call("a"), done("a"), answer("3")];
  assert.deepEqual(planCompaction(stored), { compacts: 2, older: stored.slice(0, 2), kept: 6 });
  assert.deepEqual(planCompaction(stored.slice(0, 4)), { compacts: 2, older: stored.slice(0, 2), kept: 2 });
  assert.equal(planCompaction(stored.slice(0, 2)), undefined);
  assert.equal(planCompaction([]), undefined);
  assert.equal(planCompaction([...stored, summary(2)]), undefined, "nothing is new since the last summary");
  const more = [...stored, summary(2), user("4"), answer("4")];
  assert.deepEqual(planCompaction(more), { compacts: 4, older: [summary(2), user("2"), answer("2")], kept: 6 });
});

test("near the limit, what is kept fits, and a cut never tears a call from its result", () => {
  const long = "x".repeat(4000);
  const steps = ["a", "b", "c"].flatMap((id) => [call(id), done(id, long)]);
  const stored = [user("1"), answer(long), user("2"), ...steps];
  for (const contextLength of [1000, 6000, 11_000, 16_000, 21_000, 26_000]) {
    const plan = planCompaction(stored, contextLength);
    if (plan === undefined) continue;
    assert.notEqual(stored[plan.compacts]?.role, "tool", String(contextLength));
    const view = withoutCompacted([...stored, summary(plan.compacts)]);
    assert.deepEqual(repairHistory(view), view);
    assert.ok(view.includes(stored[2]!), "the turn's own message stays");
  }
  assert.equal(planCompaction(stored, 1000)?.compacts, 7, "the last step stays, whatever its size");
  assert.equal(planCompaction(stored, 20_000)?.compacts, 2, "a turn that fits stays whole");
  assert.equal(planCompaction(stored, 100_000), undefined);
});

test("compacting asks the model with its hooks, stores a summary and keeps the messages", async () => {
  const bench = createBench();
  for (const word of ["one", "two", "three"]) await bench.turn(`remember ${word}`);
  const before = bench.sessions.history(bench.session.id);
  bench.listen();
  const compact = (focus = "") =>
    bench.runner.compact({
      session: bench.session,
      platform: "cli",
      signal: new AbortController().signal,
      onFrame: (frame) => bench.frames.push(frame),
      focus,
    });
  const compacted = await compact("names");
  assert.deepEqual([compacted?.summarized, compacted?.kept], [2, 4]);
  const text = "Summary of the earlier conversation:\n\nThe user wrote:\n- remember one";
  assert.deepEqual(bench.sessions.history(bench.session.id), [
    ...before,
    { role: "system", content: text, compacts: 2 },
  ]);
  assert.deepEqual(
    bench.fired.map(({ event, payload }) => [event, payload["api_call_count"], payload["tool_count"]]),
    [
      ["pre_api_request", 1, 0],
      ["post_api_request", 1, 0],
    ],
  );
  assert.deepEqual(bench.framesOf("compacted"), [{ type: "compacted", session_id: bench.session.id, ...compacted }]);
  assert.equal(await compact(), null);
  await bench.turn("and now?");
  const asked = bench.fired.find(({ event }) => event === "pre_llm_call")?.payload["conversation_history"];
  assert.deepEqual(
    (asked as ChatMessage[]).map(({ role, content }) => [role, content?.slice(0, 14)]),
    [
      ["system", "Summary of the"],
      ["user", "remember two"],
      ["assistant", "remember two"],
      ["user", "remember three"],
      ["assistant", "remember three"],
      ["user", "and now?"],
    ],
  );
  const kinds = bench.sessions.usage.of(bench.session.id).map(({ kind, model }) => [kind, model]);
  assert.deepEqual(
    kinds,
    ["turn", "turn", "turn", "summary", "turn"].map((kind) => [kind, "offline"]),
  );
});

test("undo of the last turn takes back a summary that came after it", async () => {
  const bench = createBench();
  for (const word of ["one", "two", "three"]) await bench.turn(word);
  const request = { session: bench.session, platform: "cli", signal: new AbortController().signal };
  assert.notEqual(await bench.runner.compact(request), null);
  bench.sessions.undo(bench.session.id);
  const left = bench.sessions.history(bench.session.id);
  assert.deepEqual([left.length, withoutCompacted(left).length], [4, 4]);
});

test("a session compacts itself near the limit, in the middle of a turn, too, and goes on", async () => {
  const long = { ...ECHO, execute: async () => ({ output: "x".repeat(6000) }) };
  const bench = createBench({
    model: { provider: "offline", context_length: 6000 },
    tools: [long],
    deps: { compactAt: () => 0.8 },
  });
  bench.listen();
  const calls = Array.from({ length: 6 }, (_, index) => `run \`step ${index}\``);
  const result = await bench.turn(calls.join(", "));
  assert.equal(result.completed, true, JSON.stringify(bench.framesOf("error")));
  assert.ok(bench.framesOf("compacted").length > 0);
  const counts = bench.fired
    .filter(({ event }) => event === "pre_api_request")
    .map(({ payload }) => payload["api_call_count"]);
  assert.deepEqual(
    counts,
    Array.from(counts, (_, index) => index + 1),
  );
  assert.equal(bench.framesOf("tool_use").length, 6);
  const sizes = bench.fired
    .filter(({ event, payload }) => event === "pre_api_request" && payload["tool_count"] !== 0)
    .map(({ payload }) => Number(payload["approx_input_tokens"]));
  assert.ok(
    sizes.every((size) => size < 6000),
    sizes.join(" "),
  );
});

test("a summary that fails leaves the session as it is, and the turn goes on", async () => {
  const warnings: string[] = [];
  const bench = createBench({
    model: { provider: "offline", context_length: 1000 },
    deps: {
      compactAt: () => 0.01,
      log: {
        debug: () => {},
        warn: (sentence, fields) => warnings.push(`${sentence}: ${String(fields?.["problem"])}`),
      },
    },
  });
  await bench.turn(`one ${"x".repeat(2000)}`);
  const before = bench.sessions.history(bench.session.id).length;
  bench.hook("pre_api_request", ({ tool_count }) => {
    if (tool_count === 0) bench.sessions.rename(bench.session.id, "asked");
  });
  const append = bench.sessions.append.bind(bench.sessions);
  bench.sessions.append = (id, message) => {
    if (message.role === "system") throw new Error("no room");
    append(id, message);
  };
  const result = await bench.turn("two");
  assert.equal(result.completed, true);
  assert.deepEqual(warnings, ["the session could not be compacted: no room"]);
  assert.equal(bench.sessions.get(bench.session.id)?.title, "asked");
  assert.equal(bench.sessions.history(bench.session.id).length, before + 2);
});

test("a session with a running turn is not compacted", async () => {
  const bench = createBench();
  const request = { session: bench.session, platform: "cli", signal: new AbortController().signal };
  let problem = "";
  bench.hook("pre_llm_call", async () => {
    problem = await bench.runner.compact(request).then(() => "", problemOf);
  });
  await bench.turn("hello");
  assert.equal(problem, "The session was not compacted: a turn is running. Its messages are unchanged.");
});
