/** Turns stored messages into messages that a model's API accepts. */
import type { ModelMessage } from "ai";
import type { ChatMessage } from "#core/messages";
import { INJECTED } from "./injections.ts";
import { toAssistantMessage, wantsReasoning } from "./model-reply.ts";
import type { SelectedModel } from "./models/select.ts";

type UserMessage = Extract<ChatMessage, { role: "user" }>;
type ToolMessage = Extract<ChatMessage, { role: "tool" }>;

/** The result of a call that had none when the program exited. */
const INTERRUPTED_RESULT = JSON.stringify({ error: "interrupted before the tool returned a result" });

/**
 * The messages in the form that APIs require: every call is followed by its result, in the order of the calls. A call
 * whose result was lost (kill -9) gets one that says so; a result without its call is dropped. Its input is unchanged.
 */
export function repairHistory(messages: readonly ChatMessage[]): ChatMessage[] {
  const repaired: ChatMessage[] = [];
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index]!;
    if (message.role === "tool") continue;
    repaired.push(message);
    if (message.role !== "assistant" || !message.tool_calls?.length) continue;
    const results = new Map<string, ToolMessage>();
    for (let next = messages[index + 1]; next?.role === "tool"; next = messages[index + 1]) {
      results.set(next.tool_call_id, next);
      index++;
    }
    for (const { id } of message.tool_calls) {
      repaired.push(results.get(id) ?? { role: "tool", tool_call_id: id, content: INTERRUPTED_RESULT });
    }
  }
  return repaired;
}

/** Text that hooks add to the message at `at`. */
export interface AddedContext {
  readonly text: string | undefined;
  readonly at: number;
}

/**
 * The messages for the `ai` package. `context` is appended to its message after a blank line, for this request only
 * (seed 003, "pre_llm_call"). A model that takes no images is told of them; what
 * a model gave with its answers goes back to it alone.
 */
export function toModelMessages(
  messages: readonly ChatMessage[],
  context: AddedContext,
  to: Pick<SelectedModel, "provider" | "id" | "takesImages">,
): ModelMessage[] {
  const reasoning = wantsReasoning(messages, to, startsTurn);
  const names = new Map<string, string>();
  const converted: ModelMessage[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.role === "system") {
      // Instructions are sent separately; system text that a surface stored is context for the user's message.
      converted.push({ role: "user", content: message.content });
    } else if (message.role === "user") {
      const added = index === context.at ? (context.text ?? "") : "";
      converted.push(userMessage(message, added, to.takesImages));
    } else if (message.role === "assistant") {
      for (const { id, function: asked } of message.tool_calls ?? []) names.set(id, asked.name);
      if (!message.content && !message.tool_calls?.length) continue;
      converted.push(toAssistantMessage(message, to, reasoning[index] ?? false));
    } else {
      const toolName = names.get(message.tool_call_id) ?? "unknown";
      const output = { type: "text" as const, value: message.content };
      converted.push({
        role: "tool",
        content: [{ type: "tool-result", toolCallId: message.tool_call_id, toolName, output }],
      });
    }
  }
  return converted;
}

/** True for a message that started a turn. */
export function startsTurn(message: ChatMessage): boolean {
  return message.role === "user" && message.name !== INJECTED;
}

function userMessage({ content, images = [] }: UserMessage, added: string, takesImages: boolean): ModelMessage {
  const note = images.length > 0 && !takesImages ? unseen(images.length) : "";
  const text = [content, note, added].filter(Boolean).join("\n\n");
  if (images.length === 0 || !takesImages) return { role: "user", content: text };
  const files = images.map(({ media_type: mediaType, data }) => ({ type: "file" as const, mediaType, data }));
  return { role: "user", content: [...(text === "" ? [] : [{ type: "text" as const, text }]), ...files] };
}

function unseen(count: number): string {
  return count === 1
    ? "(An image was sent, which you cannot see.)"
    : `(${count} images were sent, which you cannot see.)`;
}
