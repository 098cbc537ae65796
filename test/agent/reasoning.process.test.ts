/** What a model gives with its answers goes back to it: reasoning and signatures, as each provider wants them. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { SelectedModel } from "#agent/models/select";
import { openMemoryDatabase } from "#core/home/database";
import { createBench, type AgentBench } from "../helpers/agent-bench.ts";
import { startModelServer, type RequestBody, type Reply, type SentMessage } from "../helpers/model-server.ts";

const LIST = { id: "call_a", name: "terminal", arguments: '{"command":"ls"}' };

async function serve(t: TestContext, replies: readonly Reply[], refuse?: (body: RequestBody) => string | undefined) {
  const server = await startModelServer(replies, refuse);
  t.after(() => server[Symbol.asyncDispose]());
  const model = { provider: "openai-compatible", base_url: server.url, default: "m", api_key: "k" } as const;
  const assistant = (request: number): readonly SentMessage[] =>
    server.requests[request]!.messages.filter(({ role }) => role === "assistant");
  return { server, model, assistant };
}

/** As DeepSeek and Kimi check it. */
function needsReasoning({ messages }: RequestBody): string | undefined {
  const bad = messages.some((one) => one.tool_calls !== undefined && typeof one["reasoning_content"] !== "string");
  return bad ? "The `reasoning_content` in the thinking mode must be passed back to the API." : undefined;
}

test("reasoning goes back inside the tool loop and in later turns, from the stored history as well", async (t) => {
  const { model, assistant } = await serve(
    t,
    [
      { reasoning: "I look.", text: "Let me see.", calls: [LIST] },
      // DeepSeek's models may call again without a thought, and the server wants the field all the same.
      { calls: [{ ...LIST, id: "call_b" }] },
      { reasoning: "Now I know.", text: "Two files." },
      { text: "Bye." },
    ],
    needsReasoning,
  );
  const database = openMemoryDatabase();
  const bench = createBench({ model, database });
  assert.equal((await bench.turn("what is here?")).text, "Two files.");
  assert.deepEqual(
    assistant(2).map((one) => [one.content, one["reasoning_content"]]),
    [
      ["Let me see.", "I look."],
      [null, ""],
    ],
  );
  const later = createBench({ model, database });
  const resumed = await later.turn("thanks", { session: bench.session });
  assert.deepEqual([resumed.text, resumed.exit_code], ["Bye.", 0]);
  assert.deepEqual(
    assistant(3).map((one) => one["reasoning_content"]),
    ["I look.", "", "Now I know."],
  );
});

test("the reasoning of a turn without calls is not sent again", async (t) => {
  const { model, assistant } = await serve(t, [{ reasoning: "A greeting.", text: "Hello." }]);
  const bench = createBench({ model });
  await bench.turn("hello");
  await bench.turn("bye");
  assert.deepEqual(assistant(1), [{ role: "assistant", content: "Hello." }]);
});

test("reasoning goes back under the name under which it came", async (t) => {
  const call = {
    index: 0,
    id: "call_a",
    type: "function",
    function: { name: "terminal", arguments: '{"command":"x"}' },
  };
  const { model, assistant } = await serve(t, [
    { deltas: [{ reasoning: "I " }, { reasoning: "look." }, { tool_calls: [call] }], finish: "tool_calls" },
  ]);
  const bench = createBench({ model });
  assert.equal((await bench.turn("hello")).text, "done");
  const [step] = assistant(1);
  assert.deepEqual([step?.["reasoning"], step?.["reasoning_content"]], ["I look.", undefined]);
});

test("OpenRouter gets its reasoning details back, with their signatures, instead of the text", async (t) => {
  const detail = { type: "reasoning.text", format: "anthropic-claude-v1", index: 0 };
  const encrypted = { type: "reasoning.encrypted", data: "b2s=", index: 1, id: "rs_1" };
  const call = {
    index: 0,
    id: "call_a",
    type: "function",
    function: { name: "terminal", arguments: '{"command":"x"}' },
  };
  const deltas = [
    { reasoning: "I ", reasoning_details: [{ ...detail, text: "I " }] },
    { reasoning: "look.", reasoning_details: [{ ...detail, text: "look." }] },
    { reasoning_details: [{ ...detail, text: null, signature: "c2ln" }] },
    { reasoning_details: [encrypted] },
    { tool_calls: [call] },
  ];
  const { server, assistant } = await serve(t, [{ deltas, finish: "tool_calls" }]);
  const model = { provider: "openrouter", base_url: server.url, default: "m", api_key: "k" } as const;
  const bench = createBench({ model });
  await bench.turn("hello");
  assert.equal(
    bench
      .framesOf("reasoning")
      .map(({ delta }) => delta)
      .join(""),
    "I look.",
  );
  const [step] = assistant(1);
  assert.deepEqual(step?.["reasoning_details"], [{ ...detail, text: "I look.", signature: "c2ln" }, encrypted]);
  assert.deepEqual([step?.["reasoning"], step?.["reasoning_content"]], [undefined, undefined]);
});

test("Gemini's thought signatures go back with their calls, whatever ids the calls got", async (t) => {
  const signed = { extra_content: { google: { thought_signature: "c2ln" } } };
  const call = (index: number, more: object) => ({
    tool_calls: [
      { index, id: "same", type: "function", function: { name: "terminal", arguments: '{"command":"x"}' }, ...more },
    ],
  });
  const { model, assistant } = await serve(t, [{ deltas: [call(0, signed), call(1, {})], finish: "tool_calls" }]);
  const bench = createBench({ model });
  await bench.turn("hello");
  const calls = assistant(1)[0]?.tool_calls ?? [];
  assert.deepEqual(
    calls.map((one) => one["extra_content"]),
    [signed.extra_content, undefined],
  );
  assert.equal(new Set(calls.map(({ id }) => id)).size, 2);
});

test("another model of the session gets the words alone, and the first one gets its reasoning again", async (t) => {
  const { model, assistant } = await serve(t, [{ reasoning: "I look.", calls: [LIST] }, { text: "Two files." }]);
  const database = openMemoryDatabase();
  const bench = createBench({ model, database });
  await bench.turn("what is here?");
  const other = createBench({ model: { ...model, default: "other" }, database });
  await other.turn("and now?", { session: bench.session });
  assert.ok(!JSON.stringify(assistant(2)).includes("reasoning"));
  await bench.turn("and you?");
  assert.equal(assistant(3)[0]?.["reasoning_content"], "I look.");
});

test("hooks see neither reasoning nor signatures, and an answer that they replace keeps its reasoning", async (t) => {
  const { model, assistant } = await serve(t, [
    { reasoning: "SECRET", calls: [LIST] },
    { reasoning: "MORE", text: "Two files." },
  ]);
  const bench = createBench({ model });
  const seen: unknown[] = [];
  bench.hook("transform_llm_output", () => "2 files.");
  bench.hook("pre_llm_call", ({ conversation_history }) => void seen.push(conversation_history));
  bench.hook("post_llm_call", (payload) => void seen.push(payload));
  await bench.turn("what is here?");
  await bench.turn("again");
  assert.ok(seen.length === 4 && !/SECRET|MORE|model_reply/.test(JSON.stringify(seen)));
  const answer = assistant(2)[1];
  assert.deepEqual([answer?.content, answer?.["reasoning_content"]], ["2 files.", "MORE"]);
});

/** A model of the package's own interface that answers with these parts, and the prompts it got. */
function scripted(steps: readonly (readonly object[])[]): { selected: SelectedModel; prompts: unknown[][] } {
  const prompts: unknown[][] = [];
  const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };
  const model = {
    specificationVersion: "v4",
    provider: "scripted",
    modelId: "m",
    supportedUrls: {},
    async doStream({ prompt }: { prompt: unknown[] }) {
      prompts.push(structuredClone(prompt));
      const parts = steps[prompts.length - 1]!;
      const calls = parts.some((part) => (part as { type: string }).type === "tool-call");
      const finishReason = { unified: calls ? "tool-calls" : "stop", raw: "" };
      const all = [{ type: "stream-start", warnings: [] }, ...parts, { type: "finish", usage, finishReason }];
      return { stream: ReadableStream.from(all) };
    },
  } as unknown as SelectedModel["model"];
  const about = { id: "m", provider: "openai-compatible", baseUrl: "http://127.0.0.1", keySource: "" } as const;
  return { selected: { model, ...about, takesImages: false, redact: String }, prompts };
}

const TEXT = [
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: "Done." },
  { type: "text-end", id: "t" },
];

/** By provider: the parts of an answer in the package's shapes, and the content that has to come back. */
const SHAPES: Readonly<Record<string, { parts: readonly object[]; back: readonly object[] }>> = {
  "Gemini's thought signatures": {
    parts: [
      { type: "reasoning-start", id: "r" },
      { type: "reasoning-delta", id: "r", delta: "Hm.", providerMetadata: { google: { thoughtSignature: "one" } } },
      { type: "reasoning-end", id: "r" },
      {
        type: "tool-call",
        toolCallId: "c",
        toolName: "terminal",
        input: '{"command":"x"}',
        providerMetadata: { google: { thoughtSignature: "two" } },
      },
    ],
    back: [
      { type: "reasoning", text: "Hm.", providerOptions: { google: { thoughtSignature: "one" } } },
      {
        type: "tool-call",
        toolCallId: "c",
        toolName: "terminal",
        input: { command: "x" },
        providerOptions: { google: { thoughtSignature: "two" } },
      },
    ],
  },
  "Anthropic's signed and redacted thinking, in order": {
    parts: [
      { type: "reasoning-start", id: "0" },
      { type: "reasoning-delta", id: "0", delta: "Hm." },
      { type: "reasoning-delta", id: "0", delta: "", providerMetadata: { anthropic: { signature: "sig" } } },
      { type: "reasoning-end", id: "0" },
      { type: "reasoning-start", id: "1", providerMetadata: { anthropic: { redactedData: "xyz" } } },
      { type: "reasoning-end", id: "1" },
      { type: "text-start", id: "2" },
      { type: "text-delta", id: "2", delta: "I look." },
      { type: "text-end", id: "2" },
      { type: "tool-call", toolCallId: "c", toolName: "terminal", input: '{"command":"x"}' },
    ],
    back: [
      { type: "reasoning", text: "Hm.", providerOptions: { anthropic: { signature: "sig" } } },
      { type: "reasoning", text: "", providerOptions: { anthropic: { redactedData: "xyz" } } },
      { type: "text", text: "I look." },
      { type: "tool-call", toolCallId: "c", toolName: "terminal", input: { command: "x" } },
    ],
  },
  "OpenAI's encrypted reasoning": {
    parts: [
      {
        type: "reasoning-start",
        id: "rs_1:0",
        providerMetadata: { openai: { itemId: "rs_1", reasoningEncryptedContent: null } },
      },
      {
        type: "reasoning-end",
        id: "rs_1:0",
        providerMetadata: { openai: { itemId: "rs_1", reasoningEncryptedContent: "enc" } },
      },
      {
        type: "tool-call",
        toolCallId: "c",
        toolName: "terminal",
        input: '{"command":"x"}',
        providerMetadata: { openai: { itemId: "fc_1" } },
      },
    ],
    back: [
      {
        type: "reasoning",
        text: "",
        providerOptions: { openai: { itemId: "rs_1", reasoningEncryptedContent: "enc" } },
      },
      {
        type: "tool-call",
        toolCallId: "c",
        toolName: "terminal",
        input: { command: "x" },
        providerOptions: { openai: { itemId: "fc_1" } },
      },
    ],
  },
};

for (const [name, { parts, back }] of Object.entries(SHAPES)) {
  test(`${name} come back with their step, in the turn and in the next one`, async () => {
    const { selected, prompts } = scripted([parts, TEXT, TEXT]);
    const bench: AgentBench = createBench({ deps: { model: async () => selected } });
    await bench.turn("hello");
    await bench.turn("again");
    for (const prompt of [prompts[1], prompts[2]]) {
      const step = prompt?.find((message) => (message as { role: string }).role === "assistant");
      assert.deepEqual(plain(step), plain({ role: "assistant", content: back }));
    }
  });
}

/** Without keys that hold undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

test("reasoning between tags leaves the text, and goes back between tags", async (t) => {
  const call = {
    index: 0,
    id: "call_a",
    type: "function",
    function: { name: "terminal", arguments: '{"command":"x"}' },
  };
  const { model, assistant } = await serve(t, [
    {
      deltas: [
        { content: "<thi" },
        { content: "nk>I look.</th" },
        { content: "ink>\n\nLet me see." },
        { tool_calls: [call] },
      ],
      finish: "tool_calls",
    },
    { text: "<think>Now I know.</think>\n\nTwo files." },
    { deltas: [{ content: "<think>No end" }], finish: null },
  ]);
  const bench = createBench({ model });
  const result = await bench.turn("what is here?");
  assert.equal(result.text, "Two files.");
  assert.equal(
    bench
      .framesOf("reasoning")
      .map(({ delta }) => delta)
      .join(""),
    "I look.Now I know.",
  );
  assert.equal(
    bench
      .framesOf("text")
      .map(({ delta }) => delta)
      .join(""),
    "Let me see.Two files.",
  );
  assert.deepEqual(
    [assistant(1)[0]?.content, assistant(1)[0]?.["reasoning_content"]],
    ["<think>I look.</think>\n\nLet me see.", undefined],
  );
  const alone = await bench.turn("and now?");
  assert.deepEqual([alone.text, alone.notice], ["", "The model only reasoned and gave no answer."]);
});
