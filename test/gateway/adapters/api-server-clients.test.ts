/** Ordinary clients of OpenAI's API against `api_server`. */
import test from "node:test";
import assert from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";
import { HermesError } from "#core/errors";
import { COST, end, OPENING, show } from "../../helpers/inbox.ts";
import { startBench } from "./api-server-bench.ts";

const text = (delta: string) => ({ type: "text", delta });

test("generateText gets the answer and its usage, with key and conversation", async (t) => {
  const { url, inbox } = await startBench(t, { key: "test-key" });
  inbox.answering = ({ reply }) => {
    show(reply, OPENING, COST);
    end(reply, "an answer");
  };
  const client = createOpenAICompatible({
    name: "hermes",
    baseURL: `${url}/v1`,
    apiKey: "test-key",
    headers: { "X-Hermes-Session-Id": "notes" },
  });
  const result = await generateText({
    model: client("hermes"),
    instructions: "Be brief.",
    prompt: "hello",
    maxRetries: 0,
  });
  assert.equal(result.text, "an answer");
  assert.equal(result.finishReason, "stop");
  assert.deepEqual([result.usage.inputTokens, result.usage.outputTokens], [7, 3]);
  assert.equal(inbox.received[0]?.message.text, "hello");
  assert.equal(inbox.received[0]?.message.source.chat_id, "notes");
});

test("streamText gets the words as they come, and its messages are the history", async (t) => {
  const { url, inbox } = await startBench(t);
  inbox.answering = ({ reply }) => {
    show(reply, OPENING, text("one "), text("two"), COST);
    end(reply, "one two");
  };
  const client = createOpenAICompatible({ name: "hermes", baseURL: `${url}/v1`, includeUsage: true });
  const result = streamText({
    model: client("hermes"),
    messages: [
      { role: "user", content: "count" },
      { role: "assistant", content: "zero" },
      { role: "user", content: [{ type: "text", text: "go on" }] },
    ],
    maxRetries: 0,
  });
  const parts: string[] = [];
  for await (const part of result.textStream) parts.push(part);
  assert.deepEqual(parts.filter(Boolean), ["one ", "two"]);
  assert.equal((await result.usage).totalTokens, 10);
  assert.equal(inbox.received[0]?.message.text, "go on");
  assert.deepEqual(inbox.received[0]?.reply?.history, [
    { role: "user", content: "count" },
    { role: "assistant", content: "zero" },
  ]);
});

test("a client understands our errors", async (t) => {
  const { url, inbox } = await startBench(t);
  const fields = { provider: "p", model: "m", problem: "status 500", advice: "" };
  inbox.answering = ({ reply }) => end(reply, null, new HermesError("HERMES_MODEL_REQUEST", fields));
  const client = createOpenAICompatible({ name: "hermes", baseURL: `${url}/v1` });
  await assert.rejects(generateText({ model: client("hermes"), prompt: "hello", maxRetries: 0 }), {
    message: "The model m (p) failed: status 500",
    statusCode: 502,
  });
  inbox.answering = ({ reply }) => {
    show(reply, text("half"));
    end(reply, null, new HermesError("HERMES_MODEL_STREAM_CUT", { provider: "p", model: "m" }));
  };
  const result = streamText({ model: client("hermes"), prompt: "hello", maxRetries: 0, onError: () => undefined });
  const kinds: string[] = [];
  for await (const part of result.stream) kinds.push(part.type);
  assert.ok(kinds.includes("error"), kinds.join());
});
