/** Why an answer ended, and what is said about one that is empty or incomplete. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { createBench } from "../helpers/agent-bench.ts";
import { createGatewayBench } from "../helpers/gateway-bench.ts";
import { startModelServer, type Reply } from "../helpers/model-server.ts";

async function serve(t: TestContext, replies: readonly Reply[]) {
  const server = await startModelServer(replies);
  t.after(() => server[Symbol.asyncDispose]());
  return { provider: "openai-compatible", base_url: server.url, default: "some-model", api_key: "key" } as const;
}

const CUT = "The answer was cut off at the model's length limit.";

/** The server's answer, the `finish_reason`, and the sentence for the user. */
const ENDS: readonly (readonly [string, Reply, string, string | null])[] = [
  ["a complete answer", { text: "All done." }, "stop", null],
  ["an answer that reached the length limit", { text: "One, two, th", finish: "length" }, "length", CUT],
  [
    "a filtered answer",
    { text: "One, two", finish: "content_filter" },
    "content_filter",
    "The answer ended early: the model refused, or a content filter stopped it.",
  ],
  [
    "a refusal",
    { deltas: [{ refusal: "I can't do that." }] },
    "content_filter",
    "The answer ended early: the model refused, or a content filter stopped it.",
  ],
  ["an empty answer", { text: "" }, "stop", "The model gave an empty answer."],
  ["a blank answer", { text: " \n" }, "stop", "The model gave an empty answer."],
  ["reasoning alone", { reasoning: "Hm." }, "stop", "The model only reasoned and gave no answer."],
  [
    "reasoning that reached the length limit",
    { reasoning: "Hm, let", finish: "length" },
    "length",
    "There is no answer: the reasoning was cut off at the model's length limit.",
  ],
  [
    "a filter before the first word",
    { finish: "content_filter" },
    "content_filter",
    "There is no answer: the model refused, or a content filter stopped it.",
  ],
];

function textOf(reply: Reply): string {
  if ("deltas" in reply) return "I can't do that.";
  return ("text" in reply && reply.text) || "";
}

for (const [name, reply, finish_reason, notice] of ENDS) {
  test(`${name}: its reason and its sentence are in the frame, the result and the log`, async (t) => {
    const logged: unknown[] = [];
    const log = { debug: () => {}, warn: (...line: unknown[]) => void logged.push(line) };
    const bench = createBench({ model: await serve(t, [reply]), deps: { log } });
    const result = await bench.turn("hello");
    assert.deepEqual(
      [result.completed, result.exit_code, result.finish_reason, result.notice],
      [true, 0, finish_reason, notice],
    );
    const text = textOf(reply);
    assert.equal(result.text, text);
    const frame = { type: "assistant", session_id: bench.session.id, content: text, finish_reason };
    assert.deepEqual(bench.framesOf("assistant"), [notice === null ? frame : { ...frame, notice }]);
    assert.equal(logged.length, notice === null ? 0 : 1);
    if (notice !== null) assert.ok(JSON.stringify(logged).includes(JSON.stringify(notice)));
  });

  test(`${name} in a chat of the gateway and as a reply`, async (t) => {
    const model = await serve(t, [reply, reply]);
    const bench = await createGatewayBench(t, { model });
    const text = textOf(reply);
    const said = text.trim() === "" ? notice : notice === null ? text : `${text}\n\n(${notice})`;
    await bench.adapter.receive("hello");
    assert.deepEqual(bench.adapter.textsOf("1"), [said]);
    // The caller of a request gets an incomplete answer as it is, with its reason.
    const replied = await bench.adapter.ask("hello");
    assert.equal(replied.text, text.trim() === "" ? notice : text);
    const end = replied.frames.find(({ type }) => type === "assistant");
    assert.equal(end?.type === "assistant" && end.finish_reason, finish_reason);
  });
}

test("a hook that writes the answer itself leaves nothing to be said about an empty one", async (t) => {
  const bench = createBench({ model: await serve(t, [{ text: "" }]) });
  bench.hook("transform_llm_output", () => "From the hook.");
  const result = await bench.turn("hello");
  assert.deepEqual([result.text, result.notice], ["From the hook.", null]);
});

test("reasoning arrives as frames and events of its own, never in the answer or what is stored of it", async (t) => {
  const bench = createBench({ model: await serve(t, [{ reasoning: "They greet me.", text: "Hello!" }]) });
  const seen: unknown[] = [];
  bench.registry.register("tui:reasoning.delta", (_, { payload }) => void seen.push(payload));
  const result = await bench.turn("hello");
  assert.equal(result.text, "Hello!");
  const frames = bench.framesOf("reasoning");
  assert.ok(frames.length > 1);
  assert.equal(frames.map(({ delta }) => delta).join(""), "They greet me.");
  assert.deepEqual(
    seen,
    frames.map(({ delta }) => ({ text: delta })),
  );
  assert.equal(
    bench
      .framesOf("text")
      .map(({ delta }) => delta)
      .join(""),
    "Hello!",
  );
});

test("a reply gets no reasoning while a hook may still change the answer", async (t) => {
  const bench = await createGatewayBench(t, { model: await serve(t, [{ reasoning: "Secret.", text: "Hello!" }]) });
  bench.agent.hook("transform_llm_output", () => "Hello.");
  const replied = await bench.adapter.ask("hello");
  assert.equal(replied.text, "Hello.");
  assert.ok(!replied.frames.some(({ type }) => type === "reasoning"));
});

test("a parent learns that its child's answer is empty or cut off", async (t) => {
  const delegate = (goal: string) => ({
    id: `call_${goal}`,
    name: "delegate_task",
    arguments: JSON.stringify({ goal }),
  });
  const model = await serve(t, [
    { calls: [delegate("one")] },
    { text: "Half of", finish: "length" },
    { calls: [delegate("two")] },
    { text: "" },
  ]);
  const bench = createBench({ model });
  await bench.turn("do it");
  const summaries = bench.framesOf("tool_result").map(({ content }) => content.match(/"summary":"(.*?)"/)?.[1]);
  assert.deepEqual(summaries, [`Half of\\n\\n(${CUT})`, "(The model gave an empty answer.)"]);
});

test("a call that was cut off at the length limit says so to the model", async (t) => {
  const call = { id: "call_a", name: "terminal", arguments: '{"command":"ls' };
  const bench = createBench({ model: await serve(t, [{ calls: [call], finish: "length" }]) });
  await bench.turn("do it");
  assert.match(bench.framesOf("tool_result")[0]?.content ?? "", /cut off at the model's length limit/);
});
