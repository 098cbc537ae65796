/**
 * What a model gives with an answer and wants back with it: its reasoning, and the signatures of reasoning and calls.
 * It is kept with the message, in the order in which the model gave it.
 */
import type { AssistantModelMessage } from "ai";
import type { ChatMessage, ChatToolCall, ModelReply, ProviderData, ReplyPart } from "#core/messages";
import type { SelectedModel } from "./models/select.ts";

type AssistantMessage = Extract<ChatMessage, { role: "assistant" }>;
type Content = Exclude<AssistantModelMessage["content"], string>[number];
type Recipient = Pick<SelectedModel, "provider" | "id">;

/** A part of an answer as the `ai` package gives it, without the package's generics. */
export interface AnswerPart {
  readonly type: string;
  readonly text?: unknown;
  readonly providerMetadata?: ProviderData | undefined;
}

/** The key of the data that goes back with the message as a whole, in `@ai-sdk/openai-compatible`. */
const OF_MESSAGE = "openaiCompatible";

/** Collects what an answer must go back with; undefined when its text and its calls are all. */
export function replyOf(
  { provider, id }: Recipient,
  content: readonly AnswerPart[],
  answerData: ProviderData | undefined,
): ModelReply | undefined {
  const parts = content.flatMap(toReplyPart);
  const ofMessage = answerData?.[OF_MESSAGE];
  if (ofMessage === undefined && parts.every(({ type, data }) => type !== "reasoning" && data === undefined)) return;
  return { provider, model: id, parts, ...(ofMessage === undefined ? {} : { data: { [OF_MESSAGE]: ofMessage } }) };
}

function toReplyPart({ type, text, providerMetadata }: AnswerPart): ReplyPart[] {
  const data = providerMetadata === undefined ? {} : { data: providerMetadata };
  if (type === "tool-call") return [{ type: "call", ...data }];
  if ((type !== "text" && type !== "reasoning") || typeof text !== "string") return [];
  return [{ type, text, ...data }];
}

/** The reply for an answer whose text hooks have replaced. */
export function withText(reply: ModelReply, text: string): ModelReply {
  const said = reply.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  if (said === text) return reply;
  const others = reply.parts.filter(({ type }) => type !== "text");
  return { ...reply, parts: text === "" ? others : [...others, { type: "text", text }] };
}

/**
 * Which answers of a conversation go back with their reasoning: with Anthropic all of them, elsewhere those of turns
 * with calls, for which servers require it; others ignore or refuse it.
 */
export function wantsReasoning(messages: readonly ChatMessage[], to: Recipient, isTurnStart: IsTurnStart): boolean[] {
  if (to.provider === "anthropic") return messages.map(() => true);
  // One pass: a session that stays has thousands of turns.
  let turn = { calls: false };
  const turns = messages.map((message) => {
    if (isTurnStart(message)) turn = { calls: false };
    if (message.role === "assistant" && (message.tool_calls?.length ?? 0) > 0) turn.calls = true;
    return turn;
  });
  return turns.map(({ calls }) => calls);
}

type IsTurnStart = (message: ChatMessage) => boolean;

/** The message for the `ai` package, with what its model gave with it, if it goes to the same model. */
export function toAssistantMessage(
  message: AssistantMessage,
  to: Recipient,
  reasoning: boolean,
): AssistantModelMessage {
  const { content, tool_calls: calls = [], model_reply: reply } = message;
  const own = reply?.provider === to.provider && reply.model === to.id ? reply : undefined;
  const parts: readonly ReplyPart[] = own?.parts ?? (content ? [{ type: "text", text: content }] : []);
  const waiting = [...calls];
  const converted = parts.flatMap((part): Content[] => {
    if (part.type === "reasoning" && !reasoning) return [];
    const providerOptions = part.data === undefined ? {} : { providerOptions: part.data as never };
    if (part.type !== "call") return [{ type: part.type, text: part.text, ...providerOptions }];
    const call = waiting.shift();
    return call === undefined ? [] : [{ ...toCallPart(call), ...providerOptions }];
  });
  return {
    role: "assistant",
    content: [...converted, ...waiting.map(toCallPart)],
    ...(own?.data !== undefined && reasoning ? { providerOptions: own.data as never } : {}),
  };
}

function toCallPart({ id, function: asked }: ChatToolCall) {
  return {
    type: "tool-call" as const,
    toolCallId: id,
    toolName: asked.name,
    input: parseArguments(asked.arguments),
  };
}

function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Written by another program; the model gets it unchanged.
    return { _raw: text };
  }
}
