/** `POST /v1/responses`: its documents, its events, and what names a conversation there. */
import test from "node:test";
import assert from "node:assert/strict";
import { HermesError } from "#core/errors";
import { COST, end, OPENING, SESSION, show, TestInbox } from "../../helpers/inbox.ts";
import { startBench, type Bench } from "./api-server-bench.ts";

type Fields = Readonly<Record<string, unknown>>;
interface ResponseDocument extends Fields {
  readonly id: string;
  readonly output: readonly (Fields & { readonly id: string })[];
}

function post({ url }: Bench, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "hermes", ...body }),
  });
}

async function documentOf(response: Response): Promise<ResponseDocument> {
  assert.equal(response.status, 200);
  return (await response.json()) as ResponseDocument;
}

/** The events of a stream, each with a name that is its type. */
async function eventsOf(response: Response): Promise<(Fields & { type: string })[]> {
  const blocks = (await response.text()).split("\n\n").filter((block) => block !== "" && !block.startsWith(":"));
  return blocks.map((block) => {
    const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
    const event = JSON.parse(data ?? "") as Fields & { type: string };
    assert.equal(event.type, name);
    return event;
  });
}

const reasoning = (delta: string) => ({ type: "reasoning", delta });
const text = (delta: string) => ({ type: "text", delta });

test("a response has OpenAI's shape, with the reasoning before the message", async (t) => {
  const bench = await startBench(t);
  bench.inbox.answering = ({ reply }) => {
    show(reply, OPENING, reasoning("Let me see."), text("Good day."), COST);
    end(reply, "Good day.");
  };
  const response = await post(bench, { input: "hello", instructions: "Be brief.", metadata: { a: "b" } });
  assert.equal(response.headers.get("x-hermes-session-id"), SESSION);
  const { id, created_at, output, ...rest } = await documentOf(response);
  assert.match(id, new RegExp(`^resp_${SESSION}_[0-9a-f]{32}$`));
  assert.equal(typeof created_at, "number");
  const [thought, message] = output;
  assert.deepEqual(output, [
    { id: thought?.id, type: "reasoning", summary: [{ type: "summary_text", text: "Let me see." }] },
    {
      id: message?.id,
      type: "message",
      status: "completed",
      role: "assistant",
      content: [{ type: "output_text", text: "Good day.", annotations: [], logprobs: [] }],
    },
  ]);
  assert.deepEqual(rest["usage"], {
    input_tokens: 7,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: 3,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 10,
  });
  assert.deepEqual(
    [rest["object"], rest["status"], rest["model"], rest["instructions"], rest["metadata"], rest["error"]],
    ["response", "completed", "test-model", "Be brief.", { a: "b" }, null],
  );
  assert.equal(bench.inbox.received[0]?.reply?.instructions, "Be brief.");
});

test("an answer that was cut off is incomplete", async (t) => {
  const bench = await startBench(t);
  for (const [finish_reason, reason] of [
    ["length", "max_output_tokens"],
    ["content_filter", "content_filter"],
  ]) {
    bench.inbox.answering = ({ reply }) => {
      show(reply, OPENING, { type: "assistant", content: "Go", finish_reason });
      end(reply, "Go");
    };
    const { status, incomplete_details } = await documentOf(await post(bench, { input: "hello" }));
    assert.deepEqual([status, incomplete_details], ["incomplete", { reason }]);
    const events = await eventsOf(await post(bench, { input: "hello", stream: true }));
    assert.equal(events.at(-1)?.type, "response.incomplete");
  }
});

test("a stream: each item is added, grows and is done; the last event has them all", async (t) => {
  const bench = await startBench(t);
  bench.inbox.answering = ({ reply }) => {
    show(reply, OPENING, reasoning("Let "), reasoning("me."), text("Good "), text("day."), COST);
    end(reply, "Good day.");
  };
  const events = await eventsOf(await post(bench, { input: "hello", stream: true }));
  assert.deepEqual(
    events.map(({ type, delta, output_index }) => [type, delta ?? output_index].filter((one) => one !== undefined)),
    [
      ["response.created"],
      ["response.in_progress"],
      ["response.output_item.added", 0],
      ["response.reasoning_summary_part.added", 0],
      ["response.reasoning_summary_text.delta", "Let "],
      ["response.reasoning_summary_text.delta", "me."],
      ["response.reasoning_summary_text.done", 0],
      ["response.reasoning_summary_part.done", 0],
      ["response.output_item.done", 0],
      ["response.output_item.added", 1],
      ["response.content_part.added", 1],
      ["response.output_text.delta", "Good "],
      ["response.output_text.delta", "day."],
      ["response.output_text.done", 1],
      ["response.content_part.done", 1],
      ["response.output_item.done", 1],
      ["response.completed"],
    ],
  );
  assert.deepEqual(
    events.map(({ sequence_number }) => sequence_number),
    events.map((_, index) => index),
  );
  const final = events.at(-1)?.["response"] as ResponseDocument;
  const first = events[0]?.["response"] as ResponseDocument;
  assert.deepEqual([first["status"], first.output, first.id], ["in_progress", [], final.id]);
  assert.deepEqual(
    final.output,
    events.filter(({ type }) => type === "response.output_item.done").map(({ item }) => item),
  );
  const ids = new Set(events.flatMap(({ item_id }) => (item_id === undefined ? [] : [item_id])));
  assert.deepEqual(
    [...ids],
    final.output.map(({ id }) => id),
  );
});

test("a message without an answer has an empty one", async (t) => {
  const bench = await startBench(t, {}, new TestInbox(({ reply }) => end(reply, null)));
  const { output, id } = await documentOf(await post(bench, { input: "hello" }));
  assert.match(id, /^resp_[0-9a-f]{32}$/);
  assert.equal(output.length, 1);
  const events = await eventsOf(await post(bench, { input: "hello", stream: true }));
  assert.ok(events.some(({ type }) => type === "response.output_text.done"));
});

test("a failure is an error with its status, in a running stream the events error and response.failed", async (t) => {
  const bench = await startBench(t);
  const problem = new HermesError("HERMES_MODEL_STREAM_CUT", { provider: "p", model: "m" });
  bench.inbox.answering = ({ reply }) => end(reply, null, problem);
  for (const stream of [false, true]) {
    const response = await post(bench, { input: "hello", stream });
    const { error } = (await response.json()) as { error: { code: string } };
    assert.deepEqual([response.status, error.code], [502, problem.code]);
  }
  bench.inbox.answering = ({ reply }) => {
    show(reply, OPENING, text("Go"));
    end(reply, null, problem);
  };
  const events = await eventsOf(await post(bench, { input: "hello", stream: true }));
  const [error, failed] = events.slice(-2);
  assert.deepEqual([error?.type, error?.["code"], error?.["message"]], ["error", problem.code, problem.message]);
  assert.equal(failed?.type, "response.failed");
  assert.equal((failed?.["response"] as ResponseDocument | undefined)?.["status"], "failed");
});

test("the items of input are the conversation", async (t) => {
  const bench = await startBench(t);
  const image = { type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=", detail: "auto" };
  const input = [
    { role: "developer", content: "Be brief." },
    { role: "system", content: [{ type: "input_text", text: "Be kind." }] },
    { type: "message", role: "user", content: [{ type: "input_text", text: "look" }, image] },
    { type: "reasoning", id: "rs_1", summary: [] },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "done" }] },
    { role: "assistant", content: [{ type: "refusal", refusal: "I can't." }] },
    { type: "function_call", call_id: "c1", name: "look", arguments: "{}" },
    { type: "function_call_output", call_id: "c1", output: "seen" },
    { role: "user", content: "and now?" },
  ];
  await documentOf(await post(bench, { input, instructions: "First." }));
  const { message, reply } = bench.inbox.received[0]!;
  const data = { media_type: "image/png", data: "iVBORw0KGgo=" };
  assert.equal(message.text, "and now?");
  assert.equal(reply?.instructions, "First.\n\nBe brief.\n\nBe kind.");
  const call = { id: "c1", type: "function", function: { name: "look", arguments: "{}" } };
  assert.deepEqual(reply?.history, [
    { role: "user", content: "look", images: [data] },
    { role: "assistant", content: "done" },
    { role: "assistant", content: "I can't." },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "c1", content: "seen" },
  ]);
});

test("a conversation is named by the header, a former response or item, or its name", async (t) => {
  const bench = await startBench(t);
  bench.inbox.answering = ({ reply }) => {
    show(reply, OPENING);
    end(reply, "yes");
  };
  const first = await documentOf(await post(bench, { input: "hello" }));
  const reference = { type: "item_reference", id: first.output[0]!.id };
  const asked: readonly [body: object, headers: Record<string, string>, name: string, id: string | undefined][] = [
    [{ previous_response_id: first.id }, {}, SESSION, SESSION],
    [
      { input: [{ role: "user", content: "hello" }, reference, { role: "user", content: "then" }] },
      {},
      SESSION,
      SESSION,
    ],
    [{ conversation: "notes" }, {}, "notes", undefined],
    [{ conversation: { id: "notes" } }, {}, "notes", undefined],
    [{ user: "anna" }, {}, "anna", undefined],
    [{ user: "anna", conversation: "notes" }, { "x-hermes-session-id": "header" }, "header", "header"],
  ];
  for (const [body, headers, name, session_id] of asked) {
    const document = await documentOf(await post(bench, { input: "then", ...body }, headers));
    const { message, reply } = bench.inbox.received.at(-1)!;
    assert.deepEqual([message.text, message.source.chat_id], ["then", name]);
    assert.deepEqual([reply?.history, reply?.session_id], [undefined, session_id]);
    assert.equal(document["previous_response_id"], (body as Fields)["previous_response_id"] ?? null);
  }
});

const BAD: readonly (readonly [body: object, code: string, message: RegExp])[] = [
  [{}, "invalid_request", /input must be a string or a list of items/],
  [{ input: [] }, "invalid_request", /input must be a string or a list of items/],
  [{ input: "" }, "invalid_request", /input\[0\]\.content is empty/],
  [{ input: "x", instructions: 5 }, "invalid_request", /instructions must be a string/],
  [{ input: ["x"] }, "invalid_request", /last item of input must be a user message/],
  [{ input: [{ role: "assistant", content: "x" }] }, "invalid_request", /last item of input must be a user message/],
  [{ input: [{ type: "function_call" }, { role: "user", content: "x" }] }, "invalid_request", /call_id, name and arg/],
  [{ input: [{ type: "magic" }, { role: "user", content: "x" }] }, "invalid_request", /type "magic" are not supported/],
  [{ input: [5, { role: "user", content: "x" }] }, "invalid_request", /input\[0\] must be an object/],
  [
    {
      input: [
        { role: "king", content: "x" },
        { role: "user", content: "x" },
      ],
    },
    "invalid_request",
    /role must be/,
  ],
  [{ input: "x", previous_response_id: "resp_unknown" }, "previous_response_not_found", /no response with this/],
  [
    { input: "x", previous_response_id: `resp_00000000_000000000_${"0".repeat(32)}` },
    "previous_response_not_found",
    /no response with this/,
  ],
  [
    {
      input: [
        { type: "item_reference", id: "msg_1" },
        { role: "user", content: "x" },
      ],
    },
    "item_not_found",
    /an item that hermes doesn't have/,
  ],
];

test("an invalid request is refused with the reason, and no turn starts", async (t) => {
  const bench = await startBench(t);
  for (const [body, code, message] of BAD) {
    const response = await post(bench, body);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    assert.deepEqual([response.status, error.code], [400, code], JSON.stringify(body));
    assert.match(error.message, message);
  }
  assert.equal(bench.inbox.received.length, 0);
});
