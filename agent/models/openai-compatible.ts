import type { LanguageModelV4 } from "./language-model.ts";
import type { ModelConnection } from "./openai.ts";
import { reasoningForms, replayReasoning } from "./replayed-reasoning.ts";

/** A model on any server with OpenAI's Chat Completions API. Usage is requested in the stream. */
export async function createOpenAICompatibleModel(
  { id, baseUrl, apiKey, fetch }: ModelConnection,
  name = "openai-compatible",
): Promise<LanguageModelV4> {
  const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
  const provider = createOpenAICompatible({
    name,
    baseURL: baseUrl,
    fetch,
    includeUsage: true,
    metadataExtractor: reasoningForms,
    transformRequestBody: replayReasoning,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  return provider.chatModel(id);
}
