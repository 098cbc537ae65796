import type { LanguageModelV4 } from "./language-model.ts";
import type { ModelConnection } from "./openai.ts";

/** An Anthropic model, over the Messages API. */
export async function createAnthropicModel({ id, baseUrl, apiKey, fetch }: ModelConnection): Promise<LanguageModelV4> {
  const { createAnthropic } = await import("@ai-sdk/anthropic");
  return createAnthropic({ baseURL: baseUrl, fetch, ...(apiKey === undefined ? {} : { apiKey }) })(id);
}
