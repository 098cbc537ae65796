/** OpenAI's own package against a real gateway. */
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";
import { KEY, PIXEL, startClientBench } from "./client-bench.ts";

test("chat completions: documents, streams, images, history, sessions", async (t) => {
  const { baseURL, model, sessions } = await startClientBench(t, [
    { reasoning: "Let me see.", text: "A dot." },
    { reasoning: "Hm.", text: "Red, I think." },
    { text: "You are welc", finish: "length" },
    { text: "By name." },
  ]);
  const client = new OpenAI({ baseURL, apiKey: KEY, maxRetries: 0 });
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url: PIXEL } },
      ],
    },
  ];
  const { data, response } = await client.chat.completions.create({ model: "hermes", messages }).withResponse();
  const session = response.headers.get("x-hermes-session-id")!;
  const [choice] = data.choices;
  assert.deepEqual([choice?.message.content, choice?.finish_reason], ["A dot.", "stop"]);
  assert.equal((choice?.message as { reasoning_content?: string } | undefined)?.reasoning_content, "Let me see.");
  assert.deepEqual(data.usage, { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 });
  const [system, asked] = model.requests[0]!.messages;
  assert.match(String(system?.content), /^You are Hermes[^]*\n\nBe brief\.$/);
  assert.deepEqual(asked?.content, messages[1]?.content);

  messages.push(choice!.message, { role: "user", content: "Which colour?" });
  const stream = client.chat.completions.stream({
    model: "hermes",
    messages,
    stream_options: { include_usage: true },
  });
  let reasoning = "";
  for await (const { choices } of stream) {
    reasoning += (choices[0]?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? "";
  }
  const final = await stream.finalChatCompletion();
  assert.deepEqual([final.choices[0]?.message.content, reasoning], ["Red, I think.", "Hm."]);
  assert.equal(final.usage?.total_tokens, 15);
  assert.deepEqual(
    model.requests[1]!.messages.slice(1).map(({ content }) => content),
    [messages[1]?.content, "A dot.", "Which colour?"],
  );

  messages.push(final.choices[0]!.message, { role: "user", content: "Thanks" });
  const cut = await client.chat.completions.create({ model: "hermes", messages });
  assert.deepEqual([cut.choices[0]?.finish_reason, cut.choices[0]?.message.content], ["length", "You are welc"]);
  assert.deepEqual(
    (await sessions()).map(({ id, message_count }) => [id, message_count]),
    [[session, 6]],
  );

  const continued = await client.chat.completions
    .create(
      { model: "hermes", messages: [{ role: "user", content: "And now?" }] },
      { headers: { "X-Hermes-Session-Id": session } },
    )
    .withResponse();
  assert.equal(continued.response.headers.get("x-hermes-session-id"), session);
  assert.equal(model.requests[3]!.messages.length, 8);
});

test("the Responses API: documents, streams, and conversations by previous_response_id", async (t) => {
  const { baseURL, model, sessions } = await startClientBench(t, [
    { reasoning: "Let me see.", text: "A dot." },
    { reasoning: "Hm.", text: "Red, I think." },
    { text: "Then" },
  ]);
  const client = new OpenAI({ baseURL, apiKey: KEY, maxRetries: 0 });
  const first = await client.responses.create({
    model: "hermes",
    instructions: "Be brief.",
    input: [
      {
        role: "user",
        content: [
          { type: "input_text", text: "What is this?" },
          { type: "input_image", image_url: PIXEL, detail: "auto" },
        ],
      },
    ],
  });
  assert.deepEqual([first.output_text, first.status, first.usage?.total_tokens], ["A dot.", "completed", 15]);
  assert.deepEqual(
    first.output.map(({ type }) => type),
    ["reasoning", "message"],
  );
  assert.match(String(model.requests[0]!.messages[0]?.content), /\n\nBe brief\.$/);

  const stream = client.responses.stream({ model: "hermes", input: "Which colour?", previous_response_id: first.id });
  const deltas: string[] = [];
  stream.on("response.output_text.delta", ({ delta }) => void deltas.push(delta));
  const second = await stream.finalResponse();
  assert.deepEqual([second.output_text, deltas.join("")], ["Red, I think.", "Red, I think."]);
  assert.equal(second.previous_response_id, first.id);
  assert.equal(model.requests[1]!.messages.length, 4);

  const whole = await client.responses.create({
    model: "hermes",
    input: [
      { role: "user", content: "What is this?" },
      ...(second.output as OpenAI.Responses.ResponseInputItem[]),
      { role: "user", content: "And then?" },
    ],
  });
  assert.equal(whole.output_text, "Then");
  assert.equal((await sessions()).length, 2);
});

test("models, health, errors, and a repeated request", async (t) => {
  const { baseURL, gateway, model } = await startClientBench(t, [
    { text: "once" },
    { text: "twice" },
    { status: 500, message: "the model broke" },
  ]);
  const client = new OpenAI({ baseURL, apiKey: KEY, maxRetries: 2 });
  const { data } = await client.models.list();
  assert.deepEqual(
    data.map(({ id }) => id),
    ["test-model"],
  );
  assert.equal((await client.models.retrieve("test-model")).owned_by, "openai-compatible");
  await assert.rejects(client.models.retrieve("gpt-9"), OpenAI.NotFoundError);
  await assert.rejects(new OpenAI({ baseURL, apiKey: "wrong" }).models.list(), OpenAI.AuthenticationError);
  await assert.rejects(client.chat.completions.create({ model: "hermes", messages: [] }), OpenAI.BadRequestError);

  const say = (content: string) =>
    client.chat.completions.create(
      { model: "hermes", messages: [{ role: "user", content }] },
      { headers: { "Idempotency-Key": "k1", "X-Hermes-Session-Id": "anna" } },
    );
  const [one, again] = [await say("hello"), await say("hello")];
  assert.deepEqual(again, one);
  await assert.rejects(say("something else"), OpenAI.UnprocessableEntityError);
  assert.equal(model.requests.length, 1);

  const response = await client.responses.create({ model: "hermes", input: "hello", conversation: "ben" });
  assert.equal(response.output_text, "twice");
  // The failed turn is not tried again, although the client would.
  await assert.rejects(
    client.responses.create({ model: "hermes", input: "hello", conversation: "ben" }),
    (error: InstanceType<typeof OpenAI.APIError>) => error.status === 502 && error.code === "HERMES_MODEL_REQUEST",
  );
  assert.equal(model.requests.length, 3);
  const health = await fetch(`${gateway.url}/v1/health`, { headers: { authorization: `Bearer ${KEY}` } });
  assert.deepEqual(await health.json(), { status: "ok" });
});

test("a stream that breaks is an error, in both APIs", async (t) => {
  const { baseURL } = await startClientBench(t, [{ cutAfter: "half" }, { cutAfter: "half" }]);
  const client = new OpenAI({ baseURL, apiKey: KEY, maxRetries: 0 });
  const chat = await client.chat.completions.create({
    model: "hermes",
    stream: true,
    messages: [{ role: "user", content: "hello" }],
  });
  const isCut = (error: unknown) => error instanceof OpenAI.APIError && error.code === "HERMES_MODEL_STREAM_CUT";
  await assert.rejects(readAll(chat), isCut);
  const response = await client.responses.create({ model: "hermes", stream: true, input: "hello" });
  await assert.rejects(readAll(response), isCut);
});

async function readAll(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const part of stream) assert.ok(part);
}
