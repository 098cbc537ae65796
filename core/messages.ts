/** A message of a conversation, as stored and as hooks see it, in OpenAI's chat format. */
export type ChatMessage =
  | { role: "system"; content: string }
  /** `name` is "injected" for text that was added to a running turn and did not start its own. */
  | { role: "user"; content: string; name?: string; images?: readonly ChatImage[] }
  | { role: "assistant"; content: string | null; tool_calls?: ChatToolCall[] }
  | { role: "tool"; content: string; tool_call_id: string };

/** An image of a message. `data` is base64. */
export type ChatImage = { readonly media_type: string; readonly data: string };

/** A call by the model. `arguments` is JSON text, as in OpenAI's format. */
export type ChatToolCall = {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
};
