import type { LanguageModelV4 } from "./language-model.ts";

/** What a provider needs to make a model. `apiKey` may be absent for servers that ask for none. */
export interface ModelConnection {
  readonly id: string;
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
}

/** A model of OpenAI, over its chat completions: what every compatible server and proxy speaks too. */
export async function createOpenAIModel({ id, baseUrl, apiKey }: ModelConnection): Promise<LanguageModelV4> {
  const { createOpenAI } = await import("@ai-sdk/openai");
  return createOpenAI({ baseURL: baseUrl, ...(apiKey === undefined ? {} : { apiKey }) }).chat(id);
}
