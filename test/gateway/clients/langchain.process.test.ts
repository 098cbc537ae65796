/** LangChain's package for OpenAI against a real gateway, with both APIs. */
import assert from "node:assert/strict";
import test from "node:test";
import {
  AIMessage,
  type AIMessageChunk,
  HumanMessage,
  SystemMessage,
  type BaseMessage,
} from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { KEY, PIXEL, startClientBench } from "./client-bench.ts";

for (const useResponsesApi of [false, true]) {
  test(`a conversation with ${useResponsesApi ? "the Responses API" : "chat completions"}`, async (t) => {
    const { baseURL, model, sessions } = await startClientBench(t, [
      { text: "A dot." },
      { text: "Red, I think." },
      { text: "Bye" },
    ]);
    const chat = new ChatOpenAI({
      model: "hermes",
      apiKey: KEY,
      useResponsesApi,
      maxRetries: 0,
      configuration: { baseURL },
    });
    const messages: BaseMessage[] = [
      new SystemMessage("Be brief."),
      new HumanMessage({
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: PIXEL } },
        ],
      }),
    ];
    const first = await chat.invoke(messages);
    assert.equal(first.text, "A dot.");
    assert.deepEqual(usageOf(first), 15);
    const [system, asked] = model.requests[0]!.messages;
    assert.match(String(system?.content), /\n\nBe brief\.$/);
    assert.ok(JSON.stringify(asked?.content).includes(PIXEL));

    messages.push(first, new HumanMessage("Which colour?"));
    let streamed: AIMessageChunk | undefined;
    let pieces = 0;
    for await (const chunk of await chat.stream(messages)) {
      streamed = streamed === undefined ? chunk : streamed.concat(chunk);
      if (chunk.text !== "") pieces++;
    }
    assert.equal(streamed?.text, "Red, I think.");
    assert.ok(pieces > 1, `${pieces} pieces`);

    messages.push(new AIMessage(streamed.text), new HumanMessage("Thanks"));
    assert.equal((await chat.invoke(messages)).text, "Bye");
    assert.deepEqual(
      (await sessions()).map(({ message_count }) => message_count),
      [6],
    );
  });
}

/** The package's types lose the field. */
function usageOf({ usage_metadata: usage }: { readonly usage_metadata?: unknown }): unknown {
  return (usage as { readonly total_tokens?: number } | undefined)?.total_tokens;
}
