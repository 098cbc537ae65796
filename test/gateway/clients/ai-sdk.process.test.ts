/** The `ai` package against a real gateway, with the providers for OpenAI and for compatible servers. */
import assert from "node:assert/strict";
import test from "node:test";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText, type LanguageModel, type ModelMessage } from "ai";
import { KEY, PIXEL, startClientBench, type ClientBench } from "./client-bench.ts";

const PROVIDERS: Readonly<Record<string, (baseURL: string) => LanguageModel>> = {
  "@ai-sdk/openai, Responses API": (baseURL) => createOpenAI({ baseURL, apiKey: KEY }).responses("hermes"),
  "@ai-sdk/openai, chat completions": (baseURL) => createOpenAI({ baseURL, apiKey: KEY }).chat("hermes"),
  "@ai-sdk/openai-compatible": (baseURL) =>
    createOpenAICompatible({ name: "hermes", baseURL, apiKey: KEY, includeUsage: true })("hermes"),
};

for (const [provider, create] of Object.entries(PROVIDERS)) {
  test(`a conversation with ${provider}`, async (t) => {
    const bench: ClientBench = await startClientBench(t, [
      { reasoning: "Let me see.", text: "A dot." },
      { text: "Red, I think." },
      { text: "Cut", finish: "length" },
    ]);
    const model = create(bench.baseURL);
    const messages: ModelMessage[] = [
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "file", data: PIXEL.slice(PIXEL.indexOf(",") + 1), mediaType: "image/png" },
        ],
      },
    ];
    const first = await generateText({ model, instructions: "Be brief.", messages, maxRetries: 0 });
    assert.deepEqual([first.text, first.finishReason, first.usage.totalTokens], ["A dot.", "stop", 15]);
    // Its provider for OpenAI's chat completions knows no reasoning.
    assert.equal(first.finalStep.reasoningText, provider.endsWith("chat completions") ? undefined : "Let me see.");
    const [system, asked] = bench.model.requests[0]!.messages;
    assert.match(String(system?.content), /\n\nBe brief\.$/);
    assert.ok(JSON.stringify(asked?.content).includes(PIXEL));

    messages.push(...first.finalStep.response.messages, { role: "user", content: "Which colour?" });
    const streamed = streamText({ model, instructions: "Be brief.", messages, maxRetries: 0 });
    const pieces: string[] = [];
    for await (const piece of streamed.textStream) pieces.push(piece);
    assert.equal(pieces.join(""), "Red, I think.");
    assert.ok(pieces.length > 1, `${pieces.length} pieces`);
    assert.equal((await streamed.usage).totalTokens, 15);

    messages.push(...(await streamed.finalStep).response.messages, { role: "user", content: "Thanks" });
    const cut = await generateText({ model, instructions: "Be brief.", messages, maxRetries: 0 });
    assert.deepEqual([cut.text, cut.finishReason], ["Cut", "length"]);
    const roles = bench.model.requests[2]!.messages.map(({ role }) => role);
    assert.deepEqual(roles, ["system", "user", "assistant", "user", "assistant", "user"]);
    assert.deepEqual(
      (await bench.sessions()).map(({ message_count }) => message_count),
      [6],
    );
  });
}
