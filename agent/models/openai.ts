import type { LanguageModelV4 } from "./language-model.ts";

/** What a provider needs to create a model. `apiKey` may be absent for servers that need none. */
export interface ModelConnection {
  readonly id: string;
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
}

/** An OpenAI model, over Chat Completions, which every compatible server and proxy supports, too. */
export async function createOpenAIModel({ id, baseUrl, apiKey }: ModelConnection): Promise<LanguageModelV4> {
  const { createOpenAI } = await import("@ai-sdk/openai");
  return createOpenAI({ baseURL: baseUrl, ...(apiKey === undefined ? {} : { apiKey }) }).chat(id);
}
