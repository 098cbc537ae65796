/** A model that says what a test wants it to say. */
import { createAnsweringModel, usageOf, type Answer } from "./offline.ts";
import type { ScriptedAnswer } from "./script.ts";
import type { SelectedModel } from "./select.ts";

/** What it answers when the script is over. */
const LAST_ANSWER = "Done.";

/** Answers one request after another; `answers` may grow. */
export function createScriptedModel(answers: readonly ScriptedAnswer[]): SelectedModel {
  let requests = 0;
  const model = createAnsweringModel("scripted", ({ prompt }) => {
    const given = answers[requests++] ?? LAST_ANSWER;
    const content = contentOf(given, requests);
    const isCall = typeof given !== "string";
    return {
      content,
      finishReason: isCall ? { unified: "tool-calls", raw: "tool_calls" } : { unified: "stop", raw: "stop" },
      usage: usageOf(JSON.stringify(prompt).length, JSON.stringify(content).length),
    };
  });
  const about = { id: "scripted", provider: "offline", baseUrl: "", keySource: "", takesImages: false } as const;
  return { model, ...about, redact: (text) => text };
}

function contentOf(given: ScriptedAnswer, request: number): Answer["content"] {
  if (typeof given === "string") return [{ type: "text", text: given }];
  return [given].flat().map(({ tool, args = {} }, index) => ({
    type: "tool-call",
    toolCallId: `call_${request}_${index + 1}`,
    toolName: tool,
    input: JSON.stringify(args),
  }));
}
