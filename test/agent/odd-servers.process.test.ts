/** Servers as they really are: answers in odd forms are taken, and failures get true sentences. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { ModelSettings } from "#agent/models/select";
import { createBench } from "../helpers/agent-bench.ts";
import { inGoodTime } from "../helpers/good-time.ts";
import { startModelServer, type Reply, type RequestBody } from "../helpers/model-server.ts";
import { until } from "../helpers/poll.ts";

type Provider = "openai-compatible" | "openai" | "openrouter" | "anthropic";

async function serve(
  t: TestContext,
  replies: readonly Reply[],
  options: { provider?: Provider; timeout?: number; refuse?: (body: RequestBody) => string | undefined } = {},
) {
  const server = await startModelServer(replies, options.refuse);
  t.after(() => server[Symbol.asyncDispose]());
  const model: ModelSettings = {
    provider: options.provider ?? "openai-compatible",
    base_url: server.url,
    default: "m",
    api_key: "sk-the-key",
    timeout_seconds: options.timeout,
  };
  return { server, bench: createBench({ model }) };
}

const json = (value: unknown): Reply => ({ body: JSON.stringify(value), type: "application/json" });
const asked = (args: unknown, more: object = {}) => ({
  id: "call_a",
  type: "function",
  function: { name: "terminal", arguments: args, ...more },
});
const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
const completion = (message: object, finish_reason: string | null = "stop") =>
  json({
    id: "c",
    object: "chat.completion",
    created: 1,
    model: "served",
    choices: [{ index: 0, message, finish_reason }],
    usage,
  });

for (const provider of ["openai-compatible", "openai", "openrouter"] as const) {
  test(`${provider}: a plain completion to a stream request is an answer`, async (t) => {
    const { server, bench } = await serve(
      t,
      [
        completion({
          role: "assistant",
          content: null,
          reasoning_content: "Hm.",
          tool_calls: [asked('{"command":"ls"}')],
        }),
        completion({ role: "assistant", content: "Two files." }, "length"),
      ],
      { provider },
    );
    const result = await bench.turn("hello");
    assert.deepEqual([result.text, result.finish_reason], ["Two files.", "length"]);
    assert.deepEqual(
      [bench.framesOf("tool_use")[0]?.params, bench.framesOf("reasoning")[0]?.delta],
      [{ command: "ls" }, "Hm."],
    );
    assert.equal(bench.framesOf("cost")[0]?.input_tokens, 14);
    assert.equal(server.requests.length, 2);
  });
}

test("anthropic: a plain message to a stream request is an answer", async (t) => {
  const message = (content: readonly object[], stop_reason: string) =>
    json({
      id: "m",
      type: "message",
      role: "assistant",
      model: "claude",
      content,
      stop_reason,
      stop_sequence: null,
      usage: { input_tokens: 7, output_tokens: 3 },
    });
  const { server, bench } = await serve(
    t,
    [
      message(
        [
          { type: "thinking", thinking: "Hm.", signature: "sig" },
          { type: "text", text: "I look." },
          { type: "tool_use", id: "toolu_1", name: "terminal", input: { command: "ls" } },
        ],
        "tool_use",
      ),
      message([{ type: "text", text: "Two files." }], "max_tokens"),
    ],
    { provider: "anthropic" },
  );
  const result = await bench.turn("hello");
  assert.deepEqual([result.text, result.finish_reason], ["Two files.", "length"]);
  assert.deepEqual(server.requests[1]?.messages[1]?.content, [
    { type: "thinking", thinking: "Hm.", signature: "sig" },
    { type: "text", text: "I look." },
    { type: "tool_use", id: "toolu_1", name: "terminal", input: { command: "ls" } },
  ]);
});

for (const [name, reply] of [
  [
    "in the old form",
    {
      deltas: [
        { function_call: { name: "terminal", arguments: '{"comm' } },
        { function_call: { arguments: 'and":"ls"}' } },
      ],
      finish: "function_call",
    },
  ],
  [
    "with an object as arguments in a stream",
    { deltas: [{ tool_calls: [{ index: 0, ...asked({ command: "ls" }) }] }], finish: "tool_calls" },
  ],
  [
    "with an object as arguments in a plain completion",
    completion({ role: "assistant", content: null, tool_calls: [asked({ command: "ls" })] }, "tool_calls"),
  ],
] as const) {
  test(`a call ${name} is taken`, async (t) => {
    const { bench } = await serve(t, [reply]);
    assert.equal((await bench.turn("hello")).text, "done");
    assert.deepEqual(bench.framesOf("tool_result")[0]?.content, '{"ran":"ls"}');
  });
}

for (const provider of ["openai-compatible", "openai"] as const) {
  test(`${provider}: a stream that ends with [DONE] but without a reason is complete when it has text or calls`, async (t) => {
    const { server, bench } = await serve(
      t,
      [
        { deltas: [{ tool_calls: [{ index: 0, ...asked('{"command":"ls"}') }] }], finish: null },
        { deltas: [{ content: "Two " }, { content: "files." }], finish: null },
      ],
      { provider },
    );
    const result = await bench.turn("hello");
    assert.deepEqual([result.text, result.finish_reason, result.exit_code], ["Two files.", "stop", 0]);
    assert.equal(server.requests.length, 2);
  });
}

test("a stream of [DONE] alone is an empty answer of the server", async (t) => {
  const { bench } = await serve(t, [
    { deltas: [], finish: null },
    { deltas: [], finish: null },
    { deltas: [], finish: null },
  ]);
  assert.equal((await bench.turn("hello")).exit_code, 1);
  assert.match(bench.framesOf("error")[0]?.message ?? "", /the server sent an empty answer/);
});

const nameless = (name: "" | undefined) => asked('{"command":"ls"}', { name });
const called = (call: object, finish: string | null = "tool_calls"): Reply => ({
  deltas: [{ tool_calls: [{ index: 0, ...call }] }],
  finish,
});
for (const [name, reply] of [
  ["an empty name", called(nameless(""))],
  ["no name", called(nameless(undefined))],
  ["an empty name and no end", called(nameless(""), null)],
  ["an empty name in a plain completion", completion({ role: "assistant", content: null, tool_calls: [nameless("")] })],
] as const) {
  test(`a call with ${name} comes back to the model as an error that says so`, async (t) => {
    const { server, bench } = await serve(t, [reply]);
    assert.equal((await bench.turn("hello")).text, "done");
    assert.match(
      bench.framesOf("tool_result")[0]?.content ?? "",
      /The call names no tool\. Tools: terminal, delegate_task/,
    );
    const back = JSON.stringify(server.requests[1]?.messages);
    assert.ok(!back.includes('"name":""'), back);
  });
}

test("a name that is empty in later pieces of a call stays", async (t) => {
  const piece = (name: string, args: string, id?: string) => ({
    tool_calls: [
      { index: 0, ...(id === undefined ? {} : { id, type: "function" }), function: { name, arguments: args } },
    ],
  });
  const deltas = [piece("terminal", '{"command":', "call_a"), piece("", '"ls"}')];
  const { bench } = await serve(t, [{ deltas, finish: "tool_calls" }]);
  await bench.turn("hello");
  assert.deepEqual(
    bench.framesOf("tool_result").map(({ content }) => content),
    ['{"ran":"ls"}'],
  );
});

/** What a server sends, what is said about it, and how many requests it gets with two retries. */
const FAILURES: readonly (readonly [string, Reply, RegExp, number])[] = [
  [
    "200 with an error",
    json({ error: { message: "No credits left", code: 402 } }),
    /the server said: No credits left$/,
    1,
  ],
  ["200 with an error as text", json({ error: "no such model" }), /the server said: no such model$/, 1],
  [
    "200 with a passing error",
    json({ error: { message: "Provider returned error", code: 502 } }),
    /Provider returned error$/,
    3,
  ],
  ["200 with another server's error", json({ detail: "Not Found" }), /the server said: Not Found$/, 1],
  [
    "an error that repeats the key",
    json({ error: { message: "bad key sk-the-key" } }),
    /the server said: bad key (?!sk-)/,
    1,
  ],
  [
    "a web page",
    { body: "<!DOCTYPE html><html>hi</html>", type: "text/html" },
    /sent a web page\. Check that .*\(model\.base_url\) supports/,
    1,
  ],
  ["other JSON", json({ models: [] }), /sent no answer of a model, but \{"models":\[\]\}/, 1],
  ["broken JSON", { body: '{"choices": [', type: "application/json" }, /no answer of a model, but \{"choices": \[/, 1],
  ["accept and close", { hangUp: true }, /the server closed the connection without an answer\. Check that/, 3],
];

for (const [name, reply, sentence, requests] of FAILURES) {
  test(`${name}: a true sentence, and ${requests === 1 ? "no retry" : "retries"}`, async (t) => {
    const { server, bench } = await serve(t, [reply, reply, reply]);
    const result = await bench.turn("hello");
    assert.equal(result.exit_code, 1);
    assert.match(bench.framesOf("error")[0]?.message ?? "", sentence);
    assert.equal(server.requests.length, requests);
  });
}

for (const provider of ["openai-compatible", "anthropic"] as const) {
  test(`${provider}: a server that sends nothing ends the turn after model.timeout_seconds, without a retry`, async (t) => {
    // The request has to reach the server before that.
    const { server, bench, result } = await inGoodTime(async (factor) => {
      const served = await serve(t, [{ silent: true }], { provider, timeout: factor * 0.3 });
      const ended = await served.bench.turn("hello");
      return served.server.requests.length === 0 ? undefined : { ...served, result: ended };
    });
    const [error] = bench.framesOf("error");
    assert.deepEqual([result.exit_code, error?.code], [1, "HERMES_MODEL_TIMEOUT"]);
    assert.match(error?.message ?? "", /did not answer: nothing came for \d\.\d s\. Raise model\.timeout_seconds/);
    assert.ok(result.duration_ms >= 290);
    await server.clientGone;
    assert.equal(server.requests.length, 1);
  });
}

test("a server that falls silent in the middle of its answer ends the turn as well", async (t) => {
  const { server, bench } = await serve(t, [{ hangAfter: "The answer" }], { timeout: 2 });
  await bench.turn("hello");
  const [error] = bench.framesOf("error");
  assert.equal(error?.code, "HERMES_MODEL_TIMEOUT");
  assert.match(error?.message ?? "", /nothing came for 2 s in the middle of the answer/);
  await server.clientGone;
});

test("an answer may take longer than the limit while pieces keep coming", async (t) => {
  const deltas = Array.from({ length: 6 }, (_, index) => ({ content: `${index} ` }));
  const { bench } = await serve(t, [{ deltas, pauseMs: 500 }], { timeout: 2 });
  const result = await bench.turn("hello");
  assert.equal(result.text, "0 1 2 3 4 5 ");
  assert.ok(result.duration_ms > 2000);
});

test("a limit above that of Node's fetch works with the same servers", async (t) => {
  const { bench } = await serve(t, [{ status: 500 }, { text: "Hello." }], { timeout: 600 });
  assert.equal((await bench.turn("hello")).text, "Hello.");
});

test("a server that wants reasoning of other models' steps, too, gets an empty one", async (t) => {
  const refuse = ({ messages }: RequestBody) =>
    messages.some((one) => one.tool_calls !== undefined && one["reasoning_content"] === undefined)
      ? "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2"
      : undefined;
  const { server, bench } = await serve(t, [{ text: "Hello." }], { refuse });
  const offline = createBench();
  await offline.turn("run `ls`");
  for (const message of offline.sessions.history(offline.session.id)) bench.sessions.append(bench.session.id, message);
  const result = await bench.turn("and now?");
  assert.deepEqual([result.text, result.exit_code], ["Hello.", 0]);
  assert.equal(server.requests.length, 2);
});

test("a server that refuses another server's signatures gets the conversation without them", async (t) => {
  const message = (content: readonly object[], stop_reason: string) =>
    json({
      id: "m",
      type: "message",
      role: "assistant",
      model: "claude",
      content,
      stop_reason,
      usage: { input_tokens: 7, output_tokens: 3 },
    });
  const first = await serve(
    t,
    [
      message(
        [
          { type: "thinking", thinking: "Hm.", signature: "sig" },
          { type: "tool_use", id: "toolu_1", name: "terminal", input: { command: "ls" } },
        ],
        "tool_use",
      ),
      message([{ type: "text", text: "Two files." }], "end_turn"),
    ],
    { provider: "anthropic" },
  );
  await first.bench.turn("hello");
  const refuse = ({ messages }: RequestBody) =>
    JSON.stringify(messages).includes('"thinking"')
      ? "messages.1.content.0: Invalid `signature` in `thinking` block"
      : undefined;
  const moved = await serve(t, [message([{ type: "text", text: "Still two." }], "end_turn")], {
    provider: "anthropic",
    refuse,
  });
  for (const one of first.bench.sessions.history(first.bench.session.id)) {
    moved.bench.sessions.append(moved.bench.session.id, one);
  }
  const result = await moved.bench.turn("and now?");
  assert.deepEqual([result.text, result.exit_code, moved.server.requests.length], ["Still two.", 0, 2]);
});

for (const provider of ["openai-compatible", "anthropic"] as const) {
  test(`${provider}: a refusal that another request would not change is told as it is`, async (t) => {
    const { server, bench } = await serve(t, [], { provider, refuse: () => "thinking is not supported by this model" });
    assert.equal((await bench.turn("hello")).exit_code, 1);
    assert.match(bench.framesOf("error")[0]?.message ?? "", /status 400: thinking is not supported/);
    assert.equal(server.requests.length, 1);
  });
}

test("a turn is stopped while its server sends nothing", async (t) => {
  const { server, bench } = await serve(t, [{ silent: true }]);
  const stop = new AbortController();
  const turn = bench.turn("hello", { signal: stop.signal });
  await until(() => server.requests.length === 1, "the request has arrived");
  stop.abort();
  assert.equal((await turn).interrupted, true);
  await server.clientGone;
});
