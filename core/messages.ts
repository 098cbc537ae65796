/** One message of a conversation as it is stored and shown to hooks: OpenAI's chat format. */
export type ChatMessage =
  | { role: "system"; content: string }
  /** `name` is "injected" for text that was put into a running turn and so begins no turn of its own. */
  | { role: "user"; content: string; name?: string }
  | { role: "assistant"; content: string | null; tool_calls?: ChatToolCall[] }
  | { role: "tool"; content: string; tool_call_id: string };

/** A call that the model asked for. `arguments` is JSON text, as in OpenAI's format. */
export type ChatToolCall = {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
};
