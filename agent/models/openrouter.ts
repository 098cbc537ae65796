import type { LanguageModelV4 } from "./language-model.ts";
import { createOpenAICompatibleModel } from "./openai-compatible.ts";
import type { ModelConnection } from "./openai.ts";

/** A model on OpenRouter, which has OpenAI's Chat Completions API. */
export function createOpenRouterModel(connection: ModelConnection): Promise<LanguageModelV4> {
  return createOpenAICompatibleModel(connection, "openrouter");
}
