import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { createBench, type AgentBench } from "../helpers/agent-bench.ts";
import { startModelServer, type ModelServer, type Reply } from "../helpers/model-server.ts";

async function serve(t: TestContext, replies: readonly Reply[]): Promise<{ server: ModelServer; bench: AgentBench }> {
  const server = await startModelServer(replies);
  t.after(() => server[Symbol.asyncDispose]());
  const bench = createBench({
    model: { provider: "openai-compatible", base_url: server.url, default: "some-model", api_key: "key" },
  });
  bench.listen();
  return { server, bench };
}

const eventsOf = (bench: AgentBench) =>
  bench.fired.map(({ event }) => event).filter((event) => event.includes("api_request"));
const errorsOf = (bench: AgentBench) =>
  bench.fired.filter(({ event }) => event === "api_request_error").map(({ payload }) => payload);

test("an answer streams, calls run, results go back in OpenAI's format, tokens are counted", async (t) => {
  const { server, bench } = await serve(t, [
    { text: "Let me see. ", calls: [{ id: "call_a", name: "terminal", arguments: '{"command":"ls"}' }] },
    { text: "There are three files." },
  ]);
  bench.hook("pre_llm_call", () => ({ context: "CONTEXT" }));
  const result = await bench.turn("what is here?");
  assert.deepEqual([result.text, result.exit_code], ["There are three files.", 0]);
  assert.ok(bench.framesOf("text").length > 2);
  const cost = bench.framesOf("cost")[0];
  assert.deepEqual([cost?.input_tokens, cost?.output_tokens], [20, 10]);
  const [first, second] = server.requests;
  assert.equal(first?.messages.at(-1)?.content, "what is here?\n\nCONTEXT");
  assert.deepEqual(
    first?.tools?.map(({ function: { name } }) => name),
    ["terminal", "delegate_task"],
  );
  assert.deepEqual(second?.messages.at(-1), { role: "tool", tool_call_id: "call_a", content: '{"ran":"ls"}' });
  assert.equal(second?.messages[1]?.content, "what is here?\n\nCONTEXT");
  const post = bench.fired.find(({ event }) => event === "post_api_request")?.payload;
  assert.deepEqual(
    [post?.["response_model"], post?.["finish_reason"], post?.["base_url"], post?.["provider"]],
    ["served-model", "tool-calls", server.url, "openai-compatible"],
  );
});

test("the context of one turn is not sent in the next one", async (t) => {
  const { server, bench } = await serve(t, [{ text: "one" }, { text: "two" }]);
  let turns = 0;
  bench.hook("pre_llm_call", () => (turns++ === 0 ? { context: "CONTEXT" } : undefined));
  await bench.turn("first");
  await bench.turn("second");
  assert.deepEqual(
    server.requests[1]?.messages.slice(1).map(({ content }) => content),
    ["first", "one", "second"],
  );
});

test("500 and 429 are tried again as often as allowed, with an event for each attempt", async (t) => {
  const { bench } = await serve(t, [
    { status: 500 },
    { status: 429, headers: { "retry-after": "0" } },
    { text: "at last" },
  ]);
  assert.equal((await bench.turn("hello")).text, "at last");
  assert.deepEqual(eventsOf(bench), [
    "pre_api_request",
    "api_request_error",
    "pre_api_request",
    "api_request_error",
    "pre_api_request",
    "post_api_request",
  ]);
  assert.deepEqual(
    errorsOf(bench).map(({ status_code, retry_count, retryable, api_call_count }) => [
      status_code,
      retry_count,
      retryable,
      api_call_count,
    ]),
    [
      [500, 0, true, 1],
      [429, 1, true, 1],
    ],
  );
});

test("Retry-After is waited for, which the event tui:model.retry tells", async (t) => {
  const { bench } = await serve(t, [{ status: 429, headers: { "retry-after": "1" } }, { text: "ok" }]);
  const retries: unknown[] = [];
  bench.registry.register("tui:model.retry", (_event, context) => void retries.push(context));
  const { text, duration_ms } = await bench.turn("hello");
  assert.equal(text, "ok");
  assert.ok(duration_ms >= 950, `it waited ${duration_ms} ms only`);
  const [{ session_id, payload } = {} as never] = retries as { session_id: string; payload: Record<string, unknown> }[];
  assert.deepEqual([retries.length, session_id, payload["delay_ms"]], [1, bench.session.id, 1000]);
  assert.match(String(payload["problem"]), /429/);
});

test("a server that keeps failing ends the turn with 1, one error frame, and on_session_end", async (t) => {
  const { server, bench } = await serve(t, [{ status: 500 }, { status: 503 }, { status: 500, message: "overloaded" }]);
  const result = await bench.turn("hello");
  assert.deepEqual([result.completed, result.interrupted, result.exit_code, result.text], [false, false, 1, null]);
  const [error] = bench.framesOf("error");
  assert.equal(error?.code, "HERMES_MODEL_REQUEST");
  assert.match(error?.message ?? "", /some-model.*status 500: overloaded/);
  assert.equal(server.requests.length, 3);
  const shown = bench.frames.map(({ type }) => type).filter((type) => type !== "hook");
  assert.deepEqual(shown, ["session", "error", "cost", "result"]);
  assert.equal(bench.fired.at(-1)?.event, "on_session_end");
});

test("a request that the server refuses is not tried again", async (t) => {
  const { server, bench } = await serve(t, [{ status: 401, message: "bad key" }]);
  const result = await bench.turn("hello");
  assert.equal(result.exit_code, 1);
  assert.equal(server.requests.length, 1);
  assert.match(bench.framesOf("error")[0]?.message ?? "", /401: bad key/);
});

for (const [name, reply] of [
  ["a broken socket", { cutAfter: "The answer is" }],
  ["an end without a finish reason", { endAfter: "The answer is" }],
] as const) {
  test(`${name} in the middle of an answer is a cut stream, and is not tried again`, async (t) => {
    const { server, bench } = await serve(t, [reply]);
    const result = await bench.turn("hello");
    assert.equal(result.exit_code, 1);
    assert.equal(bench.framesOf("error")[0]?.code, "HERMES_MODEL_STREAM_CUT");
    assert.equal(server.requests.length, 1);
    assert.equal(bench.framesOf("assistant").length, 0);
    assert.equal(bench.sessions.history(bench.session.id).length, 1);
  });
}

test("an error in the stream is tried again only when it says that it may pass", async (t) => {
  const { bench } = await serve(t, [{ streamError: "overloaded" }, { streamError: "no such thing" }]);
  assert.equal((await bench.turn("hello")).exit_code, 1);
  assert.deepEqual(
    errorsOf(bench).map(({ error, retryable }) => [String(error).replace(/^status \d+: /, ""), retryable]),
    [
      ["overloaded", true],
      ["no such thing", false],
    ],
  );
});

test("malformed arguments and an unknown tool come back to the model as errors, through the gate", async (t) => {
  const { server, bench } = await serve(t, [
    {
      calls: [
        { id: "a", name: "terminal", arguments: '{"command": "ls' },
        { id: "b", name: "no_such_tool", arguments: "{}" },
      ],
    },
    { text: "sorry" },
  ]);
  assert.equal((await bench.turn("hello")).text, "sorry");
  const gated = bench.fired.filter(({ event }) => event === "pre_tool_call").map(({ payload }) => payload);
  assert.deepEqual(
    gated.map(({ tool_name, args }) => [tool_name, args]),
    [
      ["terminal", { _raw: '{"command": "ls' }],
      ["no_such_tool", {}],
    ],
  );
  const results = server.requests[1]?.messages.filter(({ role }) => role === "tool") ?? [];
  assert.match(String(results[0]?.content), /not a JSON object/);
  assert.match(String(results[1]?.content), /no tool/);
});

test("stopping a slow stream closes the socket, keeps what was complete, and fires on_session_end", async (t) => {
  const { server, bench } = await serve(t, [{ hangAfter: "Thinking" }]);
  const controller = new AbortController();
  const turn = bench.turn("hello", { signal: controller.signal });
  await server.hanging;
  controller.abort();
  const result = await turn;
  await server.clientGone;
  assert.deepEqual([result.interrupted, result.exit_code], [true, 130]);
  assert.deepEqual(eventsOf(bench), ["pre_api_request", "api_request_error"]);
  assert.deepEqual(bench.fired.at(-1)?.payload["interrupted"], true);
  assert.deepEqual(bench.sessions.history(bench.session.id), [{ role: "user", content: "hello" }]);
});

test("stopping during the wait before a retry ends the turn at once", async (t) => {
  const { server, bench } = await serve(t, [{ status: 429, headers: { "retry-after": "50" } }]);
  const controller = new AbortController();
  bench.hook("api_request_error", () => void setTimeout(() => controller.abort(), 20));
  const result = await bench.turn("hello", { signal: controller.signal });
  assert.equal(result.interrupted, true);
  assert.equal(server.requests.length, 1);
});

test("no server at all: the turn fails with a sentence that names the address", async (t) => {
  const { server, bench } = await serve(t, []);
  await server.stop();
  const result = await bench.turn("hello");
  assert.equal(result.exit_code, 1);
  assert.equal(errorsOf(bench).length, 3);
  assert.match(bench.framesOf("error")[0]?.message ?? "", /ECONNREFUSED|connect/i);
});

test("the closing request at the limit has no tools in its body", async (t) => {
  const call = { id: "x", name: "terminal", arguments: '{"command":"ls"}' };
  const { server, bench } = await serve(t, [{ calls: [call] }, { text: "summary" }]);
  const result = await bench.turn("hello", { maxIterations: 1 });
  assert.deepEqual([result.text, result.exit_code], ["summary", 53]);
  assert.equal(server.requests[1]?.tools, undefined);
  assert.equal(bench.sessions.history(bench.session.id).filter(({ role }) => role === "user").length, 1);
});
