/** `api_server`: conversations, shapes and errors, over real HTTP. */
import test from "node:test";
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { HermesError } from "#core/errors";
import { COST, end, OPENING, SESSION, show, TestInbox } from "../../helpers/inbox.ts";
import { startBench, readUntil } from "./api-server-bench.ts";

interface ErrorAnswer {
  readonly error: { readonly message: string; readonly type: string; readonly param: null; readonly code: string };
}

async function errorOf(response: Response): Promise<ErrorAnswer["error"] & { status: number }> {
  return { status: response.status, ...((await response.json()) as ErrorAnswer).error };
}

test("an answer has OpenAI's shape, with the turn's model, usage and session", async (t) => {
  const { ask, inbox } = await startBench(t);
  inbox.answering = ({ reply }) => {
    show(reply, OPENING, { type: "text", delta: "Good " }, { type: "assistant", content: "Good day." }, COST);
    end(reply, "Good day.");
  };
  const response = await ask({ temperature: 0.5, n: null, tools: [], unheard_of: { a: 1 } });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-hermes-session-id"), SESSION);
  const { id, created, ...rest } = (await response.json()) as { id: string; created: number };
  assert.match(id, /^chatcmpl-[0-9a-f]{32}$/);
  assert.ok(Math.abs(created - Date.now() / 1000) < 600, `created is in seconds: ${created}`);
  assert.deepEqual(rest, {
    object: "chat.completion",
    model: "test-model",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "Good day.", refusal: null },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  });
});

test("reasoning and the reason of the end are parts of the answer", async (t) => {
  const { ask, inbox } = await startBench(t);
  const reasoning = (delta: string) => ({ type: "reasoning", delta });
  for (const [given, expected] of [
    ["length", "length"],
    ["content_filter", "content_filter"],
    ["other", "stop"],
  ]) {
    inbox.answering = ({ reply }) => {
      show(reply, OPENING, reasoning("Let me "), reasoning("look."), { type: "tool_use" }, reasoning("Ah."));
      show(reply, { type: "assistant", content: "So", finish_reason: given });
      end(reply, "So");
    };
    const { choices } = (await (await ask()).json()) as { choices: object[] };
    const message = {
      role: "assistant",
      content: "So",
      refusal: null,
      reasoning_content: "Let me look.\n\nAh.",
    };
    assert.deepEqual(choices, [{ index: 0, message, logprobs: null, finish_reason: expected }]);
  }
});

test("models and health", async (t) => {
  const { url } = await startBench(t);
  const health = await fetch(`${url}/health`);
  assert.equal(health.headers.get("x-hermes-version"), "1.2.3");
  assert.deepEqual(await health.json(), { status: "ok" });
  assert.deepEqual(await (await fetch(`${url}/v1/health`)).json(), { status: "ok" });
  const { object, data } = (await (await fetch(`${url}/v1/models`)).json()) as { object: string; data: object[] };
  assert.equal(object, "list");
  assert.deepEqual(
    data.map((model) => ({ ...model, created: typeof (model as { created: unknown }).created })),
    [{ id: "test-model", object: "model", created: "number", owned_by: "testing" }],
  );
  assert.deepEqual(await (await fetch(`${url}/v1/models/test-model`)).json(), data[0]);
  const missing = await errorOf(await fetch(`${url}/v1/models/gpt-9`));
  assert.deepEqual([missing.status, missing.code], [404, "model_not_found"]);
});

test("a model's id may contain slashes", async (t) => {
  const { url } = await startBench(t, { model: () => ({ id: "maker/model", provider: "testing" }) });
  for (const path of ["maker/model", "maker%2Fmodel"]) {
    assert.equal((await fetch(`${url}/v1/models/${path}`)).status, 200, path);
  }
});

test("health is 503 while the gateway drains", async (t) => {
  const { url, inbox } = await startBench(t);
  inbox.open = false;
  for (const path of ["/health", "/v1/health"]) {
    const response = await fetch(`${url}${path}`);
    assert.deepEqual([response.status, await response.json()], [503, { status: "draining" }]);
  }
});

test("a compressed body is 415", async (t) => {
  const { url, inbox } = await startBench(t);
  const body = gzipSync(JSON.stringify(user("x")));
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const refused = await errorOf(await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body }));
  assert.deepEqual([refused.status, refused.code], [415, "unsupported_media_type"]);
  assert.match(refused.message, /compressed \(content-encoding: gzip\)/);
  assert.equal(inbox.received.length, 0);
});

test("with a conversation name, only the last user message is used", async (t) => {
  const { ask, inbox } = await startBench(t);
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: [{ type: "image_url", image_url: { url: "data:," } }] },
    { role: "assistant", content: "What?" },
    {
      role: "user",
      content: [
        { type: "text", text: "the " },
        { type: "text", text: "last words" },
      ],
    },
    { role: "assistant", content: "half an ans" },
  ];
  await ask({ messages }, { "x-hermes-session-id": "anna" });
  await ask({ messages, user: "ben" });
  await ask({ messages, user: "ben" }, { "x-hermes-session-id": " anna " });
  const source = (name: string) => ({
    platform: "api_server",
    chat_type: "dm",
    chat_id: name,
    user_id: name,
    thread_id: null,
  });
  for (const [index, name] of ["anna", "ben", "anna"].entries()) {
    const { message, reply } = inbox.received[index]!;
    assert.equal(message.text, "the last words");
    assert.equal(message.internal, false);
    assert.equal(reply?.instructions, "Be brief.");
    assert.deepEqual(message.source, source(name));
    assert.equal(reply?.history, undefined);
  }
  assert.equal(new Set(inbox.received.map(({ message }) => message.message_id)).size, 3);
});

test("without a name the messages are the whole conversation", async (t) => {
  const { ask, inbox } = await startBench(t);
  const call = { id: "c1", type: "function", function: { name: "look", arguments: "{}" } };
  const response = await ask({
    user: "",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "developer", content: "Be kind." },
      { role: "user", content: "first", name: "injected" },
      { role: "assistant", content: null, tool_calls: [{ ...call, index: 0 }] },
      { role: "tool", tool_call_id: "c1", content: [{ type: "text", text: "seen" }] },
      { role: "assistant", content: "done" },
      { role: "user", content: "second" },
    ],
  });
  assert.equal(response.status, 200);
  const [{ message, reply }] = inbox.received as [(typeof inbox.received)[0]];
  assert.equal(message.text, "second");
  assert.equal(reply?.instructions, "Be brief.\n\nBe kind.");
  assert.deepEqual(reply?.history, [
    { role: "user", content: "first" },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "c1", content: "seen" },
    { role: "assistant", content: "done" },
  ]);
  assert.equal(message.source.chat_id, message.source.user_id);
  await ask({});
  assert.deepEqual(inbox.received[1]?.reply?.history, []);
  assert.notEqual(inbox.received[1]?.message.source.chat_id, message.source.chat_id);
});

test("images, roles and refusals of histories that other servers wrote", async (t) => {
  const { ask, inbox } = await startBench(t);
  const messages = [
    { role: "user", content: [{ type: "text", text: "look" }, IMAGE] },
    { role: "assistant", content: null, refusal: "I can't." },
    { role: "assistant", content: [{ type: "refusal", refusal: "I won't." }] },
    { role: "assistant", content: null, function_call: { name: "look", arguments: "{}" } },
    { role: "function", name: "look", content: "seen" },
    { role: "function", name: "other", content: "also" },
    { role: "user", content: [IMAGE] },
  ];
  assert.equal((await ask({ messages })).status, 200);
  const { message, reply } = inbox.received[0]!;
  const image = { media_type: "image/png", data: "iVBORw0KGgo=" };
  assert.deepEqual([message.text, message.images], ["", [image]]);
  const call = (id: string, name: string) => ({ id, type: "function", function: { name, arguments: "{}" } });
  assert.deepEqual(reply?.history, [
    { role: "user", content: "look", images: [image] },
    { role: "assistant", content: "I can't." },
    { role: "assistant", content: "I won't." },
    { role: "assistant", content: null, tool_calls: [call("function_call_3", "look")] },
    { role: "tool", content: "seen", tool_call_id: "function_call_3" },
    { role: "assistant", content: null, tool_calls: [call("function_call_5", "other")] },
    { role: "tool", content: "also", tool_call_id: "function_call_5" },
  ]);
  await ask({ user: "anna", messages });
  assert.deepEqual(inbox.received[1]?.message.images, [image]);
});

test("a conversation without a name has one by its beginning", async (t) => {
  const { ask, inbox } = await startBench(t);
  const system = { role: "system", content: "Be brief." };
  const first = { role: "user", content: "hello" };
  const next = [
    { role: "assistant", content: "hi" },
    { role: "user", content: "and then?" },
  ];
  const requests = [
    [system, first],
    [system, first, ...next],
    [first],
    [{ ...system, content: "Be kind." }, first],
    [system, { ...first, content: "goodbye" }],
    [system, { ...first, content: [{ type: "text", text: "hello" }, IMAGE] }],
  ];
  for (const messages of requests) await ask({ messages });
  const names = inbox.received.map(({ message }) => message.source.chat_id);
  assert.match(names[0]!, /^api-[0-9a-f]{16}$/);
  assert.equal(names[1], names[0]);
  assert.equal(new Set(names).size, 5);
});

test("the session's header in both directions", async (t) => {
  const { ask, inbox } = await startBench(t);
  await ask({}, { "x-hermes-session-id": SESSION });
  await ask({ user: SESSION });
  await ask();
  assert.deepEqual(
    inbox.received.map(({ reply }) => reply?.session_id),
    [SESSION, undefined, undefined],
  );
});

test("names are of any script, in header and body alike", async (t) => {
  const { port, ask, raw, inbox } = await startBench(t);
  for (const name of ["Zoë 日本", "👩‍👩‍👧", "क्‍ष", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}"]) {
    await ask({ user: name });
    assert.equal(inbox.received.pop()?.message.source.chat_id, name);
  }
  await ask({ user: "Zoë 日本" });
  const body = JSON.stringify({ messages: [{ role: "user", content: "hi" }] });
  await raw(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n` +
      `x-hermes-session-id: Zoë 日本\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await inbox.count(2);
  assert.deepEqual(
    inbox.received.map(({ message }) => message.source.chat_id),
    ["Zoë 日本", "Zoë 日本"],
  );
});

const IMAGE = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=", detail: "low" } };
const user = (content: unknown) => ({ messages: [{ role: "user", content }] });
const before = (message: object) => ({ messages: [message, { role: "user", content: "x" }] });
const BAD: readonly (readonly [body: unknown, message: RegExp, headers?: Record<string, string>])[] = [
  [[], /must be a JSON object/],
  ["text", /must be a JSON object/],
  [null, /must be a JSON object/],
  [{}, /messages must be a list/],
  [{ messages: [] }, /messages must be a list/],
  [{ messages: ["hi"] }, /messages\[0\]: the last message must be a user message/],
  [{ messages: [{ role: "assistant", content: "x" }] }, /messages\[0\]: the last message must be a user message/],
  [{ messages: [{ role: "assistant", content: "x" }], user: "u" }, /must contain a user message/],
  [user(null), /messages\[0\]\.content must be a string or a list of parts/],
  [user(3), /messages\[0\]\.content must be a string/],
  [user(""), /messages\[0\]\.content is empty/],
  [user([]), /messages\[0\]\.content is empty/],
  [
    user([{ type: "image_url", image_url: { url: "data:," } }]),
    /messages\[0\]\.content\[0\]: this is not a data URL of an image/,
  ],
  [user([{ type: "text" }]), /messages\[0\]\.content\[0\]: parts of type "text" are not supported/],
  [user(["x"]), /messages\[0\]\.content\[0\]: parts are not supported/],
  [before({ role: "king", content: "x" }), /messages\[0\]\.role must be system/],
  [before({ role: "function", content: "x" }), /messages\[0\]\.name must be the name of the function/],
  [before({ role: "system", content: [IMAGE] }), /messages\[0\]\.content: only user messages can have images/],
  [user([{ type: "image_url", image_url: { url: "https://example.com/a.png" } }]), /hermes does not fetch images/],
  [user([{ type: "image_url", image_url: { url: "data:text/html;base64,AAAA" } }]), /not a data URL of an image/],
  [user([{ type: "image_url", image_url: {} }]), /image_url must have the image as a data URL/],
  [user([{ type: "input_audio", input_audio: {} }]), /parts of type "input_audio" are not supported/],
  [before({ role: "tool", content: "x" }), /messages\[0\]\.tool_call_id/],
  [before({ role: "assistant", tool_calls: [{ id: 1 }] }), /messages\[0\]\.tool_calls\[0\]/],
  [before({ role: "assistant", tool_calls: {} }), /messages\[0\]\.tool_calls must be a list/],
  [{ ...user("x"), stream: "yes" }, /stream must be true or false/],
  [{ ...user("x"), stream: true, stream_options: { include_usage: 1 } }, /include_usage must be true or false/],
  [{ ...user("x"), user: 7 }, /user must be a string/],
  [{ ...user("x"), user: "x".repeat(201) }, /user is longer than 200/],
  [{ ...user("x"), user: "a\nb" }, /user must only contain printable characters/],
  [{ ...user("x"), user: "\u200d" }, /user must only contain printable characters/],
  [{ ...user("x"), user: "a\u{e0067}" }, /user must only contain printable characters/],
  [{ ...user("x"), user: "a\u202eb" }, /user must only contain printable characters/],
  [{ ...user("x"), user: "a\ud800" }, /user must only contain printable characters/],
  [user("x"), /X-Hermes-Session-Id is longer than 200/, { "x-hermes-session-id": "x".repeat(201) }],
  [user("x"), /X-Hermes-Session-Id must only contain printable/, { "x-hermes-session-id": "a\tb" }],
  [user("x"), /Idempotency-Key is longer/, { "idempotency-key": "x".repeat(201) }],
];

test("an invalid request is refused with the reason, and no turn starts", async (t) => {
  const { url, inbox } = await startBench(t);
  for (const [body, message, headers] of BAD) {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    const error = await errorOf(response);
    assert.equal(error.status, 400, JSON.stringify(body));
    assert.match(error.message, message);
    assert.equal(error.type, "invalid_request_error");
    assert.equal(error.param, null);
  }
  assert.equal(inbox.received.length, 0);
});

test("hostile bodies: no JSON, none, brackets without end, keys that poison", async (t) => {
  const { url, inbox } = await startBench(t);
  const send = (body: string, type = "application/json") =>
    fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": type }, body });
  assert.equal((await errorOf(await send("{"))).status, 400);
  assert.match((await errorOf(await send(""))).message, /empty/);
  const deep = `{"messages":[{"role":"user","content":"x"}],"deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  assert.match((await errorOf(await send(deep))).message, /nested deeper than 64/);
  const poisoned = `{"__proto__":{"stream":true},"constructor":{"prototype":{"stream":true}},"messages":[{"role":"user","content":"x","__proto__":{"a":1}}]}`;
  const answered = await send(poisoned);
  assert.equal(answered.status, 200);
  assert.match(answered.headers.get("content-type") ?? "", /^application\/json/);
  assert.equal(({} as Record<string, unknown>)["stream"], undefined);
  assert.equal(inbox.received.length, 1);
});

test("a body of more than 8 MiB is 413, one of nearly that much is taken", async (t) => {
  const { ask, inbox, raw, port } = await startBench(t);
  const large = "x".repeat(8 * 1024 * 1024 - 1000);
  assert.equal((await ask(user(large))).status, 200);
  assert.equal(inbox.received[0]?.message.text.length, large.length);
  // Said at once, by the length alone.
  const socket = await raw(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: 8388609\r\n\r\n`,
  );
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  assert.match(answer, /^HTTP\/1\.1 413 /);
  assert.match(answer, /"code":"body_too_large"/);
});

test("a client that sends its large body to the end gets the answer all the same", async (t) => {
  const { raw, port } = await startBench(t);
  const body = "x".repeat(24 * 1024 * 1024);
  const socket = await raw(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  await new Promise<void>((sent, failed) => {
    socket.once("error", failed);
    socket.write(body, () => sent());
  });
  assert.match(await readUntil(socket, "body_too_large"), /^HTTP\/1\.1 413 /);
});

test("only JSON is taken, and the answer to anything else says so", async (t) => {
  const { url, inbox } = await startBench(t);
  const body = JSON.stringify(user("x"));
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]) {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": type },
      body: Buffer.from(body),
    });
    const error = await errorOf(response);
    assert.equal(error.status, 415, type);
    assert.match(error.message, /content-type: application\/json/);
  }
  assert.equal(inbox.received.length, 0);
});

test("what is not there is 404 in the same shape", async (t) => {
  const { url } = await startBench(t);
  for (const [method, path] of [
    ["GET", "/v1/chat/completions"],
    ["POST", "/v1/models"],
    ["GET", "/"],
  ] as const) {
    const error = await errorOf(await fetch(`${url}${path}`, { method }));
    assert.deepEqual([error.status, error.code, error.type], [404, "not_found", "invalid_request_error"]);
  }
  assert.equal((await errorOf(await fetch(`${url}/%zz`))).status, 400);
});

const FAILURES = [
  ["HERMES_MODEL_REQUEST", { provider: "p", model: "m", problem: "status 500", advice: "" }, 502, "false"],
  ["HERMES_MODEL_STREAM_CUT", { provider: "p", model: "m" }, 502, "false"],
  ["HERMES_MODEL_CONFIG", { problem: "no key" }, 500, "false"],
  ["HERMES_INTERNAL", { problem: "oh" }, 500, "false"],
  ["HERMES_GATEWAY_BUSY", { waiting: 10 }, 429, null],
  ["HERMES_GATEWAY_STOPPING", {}, 503, null],
  ["HERMES_GATEWAY_STOPPED", {}, 503, "false"],
  ["HERMES_ACCESS_DENIED", { platform: "api_server", user: "u" }, 403, null],
] as const;

test("a turn that fails is an error with its code; clients are kept from trying a failed turn again", async (t) => {
  const { ask, inbox } = await startBench(t);
  for (const [code, fields, status, retry] of FAILURES) {
    const problem = new HermesError(code, fields);
    inbox.answering = ({ reply }) => {
      show(reply, OPENING);
      end(reply, null, problem);
    };
    for (const stream of [false, true]) {
      const response = await ask({ stream });
      assert.equal(response.headers.get("x-should-retry"), retry);
      const error = await errorOf(response);
      assert.deepEqual([error.status, error.code, error.message], [status, code, problem.message]);
    }
  }
});

test("a message without an answer, skipped or stopped, gets empty content", async (t) => {
  const { ask, inbox } = await startBench(t);
  for (const problem of [null, new HermesError("HERMES_INTERRUPTED", {})]) {
    inbox.answering = ({ reply }) => end(reply, null, problem);
    const response = await ask();
    const { choices } = (await response.json()) as {
      choices: { message: { content: string }; finish_reason: string }[];
    };
    assert.deepEqual([response.status, choices[0]?.message.content, choices[0]?.finish_reason], [200, "", "stop"]);
  }
});

test("a turn that ended at its limit says so", async (t) => {
  const { ask, inbox } = await startBench(t);
  inbox.answering = ({ reply }) => {
    show(reply, OPENING, { type: "error", code: "HERMES_TURN_LIMIT", message: "limit" }, COST);
    end(reply, "What was done so far.", new HermesError("HERMES_TURN_LIMIT", { limit: 1 }));
  };
  const { choices } = (await (await ask()).json()) as { choices: { message: object; finish_reason: string }[] };
  assert.equal(choices[0]?.finish_reason, "length");
});

test("an inbox that throws costs its request only", async (t) => {
  const inbox = new TestInbox(() => Promise.reject(new Error("the inbox broke")));
  const { ask } = await startBench(t, {}, inbox);
  assert.deepEqual([(await errorOf(await ask())).code, (await errorOf(await ask())).status], ["HERMES_INTERNAL", 500]);
});

test("a model that cannot be named is logged and 500", async (t) => {
  const { url, lines } = await startBench(t, {
    model: () => {
      throw new Error("no model");
    },
  });
  assert.equal((await errorOf(await fetch(`${url}/v1/models`))).status, 500);
  assert.deepEqual(lines, ["error api_server: a request failed: no model"]);
});

test("send has nobody to send to, and sending it again will not help", async (t) => {
  const { server } = await startBench(t);
  await assert.rejects(
    server.send("anna", "hello"),
    (error: HermesError & { permanent?: boolean }) =>
      error.code === "HERMES_ADAPTER_SEND" &&
      error.permanent === true &&
      error.message.includes("can only answer requests"),
  );
});
