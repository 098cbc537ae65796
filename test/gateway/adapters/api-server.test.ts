/** `api_server`: the shapes of its answers and errors, over real HTTP. */
import test from "node:test";
import assert from "node:assert/strict";
import { HermesError } from "#core/errors";
import { COST, end, OPENING, SESSION, show, TestInbox } from "../../helpers/inbox.ts";
import { errorOf, startBench } from "./api-server-bench.ts";

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
