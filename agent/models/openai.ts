import type { LanguageModelV4 } from "./language-model.ts";

/** What a provider needs to create a model. `apiKey` may be absent for servers that need none. */
export interface ModelConnection {
  readonly id: string;
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly fetch: typeof globalThis.fetch;
}

/** An OpenAI model, over Chat Completions. */
export async function createOpenAIModel({ id, baseUrl, apiKey, fetch }: ModelConnection): Promise<LanguageModelV4> {
  const { createOpenAI } = await import("@ai-sdk/openai");
  return createOpenAI({ baseURL: baseUrl, fetch, ...(apiKey === undefined ? {} : { apiKey }) }).chat(id);
}
