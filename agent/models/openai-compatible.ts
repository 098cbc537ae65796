import type { LanguageModelV4 } from "./language-model.ts";
import type { ModelConnection } from "./openai.ts";

/** A model of any server that speaks OpenAI's chat completions. Usage is asked for in the stream. */
export async function createOpenAICompatibleModel(
  { id, baseUrl, apiKey }: ModelConnection,
  name = "openai-compatible",
): Promise<LanguageModelV4> {
  const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
  const provider = createOpenAICompatible({
    name,
    baseURL: baseUrl,
    includeUsage: true,
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  return provider.chatModel(id);
}
