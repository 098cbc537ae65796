import type { LanguageModelV4 } from "./language-model.ts";
import { createOpenAICompatibleModel } from "./openai-compatible.ts";
import type { ModelConnection } from "./openai.ts";

/** A model behind OpenRouter, which speaks OpenAI's chat completions. */
export function createOpenRouterModel(connection: ModelConnection): Promise<LanguageModelV4> {
  return createOpenAICompatibleModel(connection, "openrouter");
}
