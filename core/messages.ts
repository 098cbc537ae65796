/** A message of a conversation, as stored and as hooks see it, in OpenAI's chat format. */
export type ChatMessage =
  /** With `compacts`, a summary of that many messages from the beginning of the session, which the model gets instead. */
  | { role: "system"; content: string; compacts?: number }
  /** `name` is "injected" for text that was added to a running turn and did not start its own. */
  | { role: "user"; content: string; name?: string; images?: readonly ChatImage[] }
  | { role: "assistant"; content: string | null; tool_calls?: ChatToolCall[]; model_reply?: ModelReply }
  | { role: "tool"; content: string; tool_call_id: string };

/** An image of a message. `data` is base64. */
export type ChatImage = { readonly media_type: string; readonly data: string };

/** What a model gave with an answer, besides text and calls, and wants back. Other models must not get it. */
export type ModelReply = {
  readonly provider: string;
  readonly model: string;
  readonly parts: readonly ReplyPart[];
  /** Belongs to the answer as a whole. */
  readonly data?: ProviderData;
};

/** A part of an answer, in the model's order. Calls are those of `tool_calls`, one after another. */
export type ReplyPart =
  | { readonly type: "text" | "reasoning"; readonly text: string; readonly data?: ProviderData }
  | { readonly type: "call"; readonly data?: ProviderData };

/** Values that only the provider understands, such as signatures, under the provider's name. */
export type ProviderData = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A call by the model. `arguments` is JSON text, as in OpenAI's format. */
export type ChatToolCall = {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
};
