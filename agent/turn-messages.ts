/** A turn's messages: the session's history, what this turn adds, and what goes to the model for this turn only. */
import type { ModelMessage } from "ai";
import type { ChatMessage } from "#core/messages";
import type { TurnInput } from "#core/ports/agent";
import { INJECTED } from "./injections.ts";
import { approximateTokens } from "./compaction.ts";
import { repairHistory, startsTurn, toModelMessages } from "./history.ts";
import { withText } from "./model-reply.ts";
import type { SelectedModel } from "./models/select.ts";
import type { OfflineHints } from "./models/offline.ts";
import type { SqliteSessions } from "./sessions.ts";
import type { AskedCall, ModelAnswer } from "./stream.ts";

export class TurnMessages {
  /** False for a history that the client keeps. */
  readonly isStored: boolean;
  readonly #sessions: SqliteSessions;
  readonly #sessionId: string;
  #messages: ChatMessage[];
  /** The index of this turn's user message. */
  #start: number;
  readonly #words: string[];
  readonly #firstAnswer: boolean;
  readonly #model: SelectedModel;
  #context: string | undefined;
  #steps = 0;
  #calls = 0;

  /** Starts from the session's history, or the input's own, and adds the user's message. */
  constructor(sessions: SqliteSessions, sessionId: string, input: TurnInput, model: SelectedModel) {
    const { message, images = [], history = sessions.activeHistory(sessionId) } = input;
    this.#sessions = sessions;
    this.#sessionId = sessionId;
    this.isStored = input.history === undefined;
    this.#messages = repairHistory(history);
    this.#start = this.#messages.length;
    this.#words = [message];
    this.#firstAnswer = !this.#messages.some((one) => one.role === "assistant" && one.content);
    this.#model = model;
    this.#add({ role: "user", content: message, ...(images.length > 0 ? { images } : {}) });
  }

  /** The messages so far, without what a hook's standard input need not carry: images' data, models' signatures. */
  forHooks(): ChatMessage[] {
    return this.#messages.map((message) => {
      if (message.role === "user" && message.images !== undefined) {
        return { ...message, images: message.images.map((image) => ({ ...image, data: "" })) };
      }
      if (message.role === "system") return { role: message.role, content: message.content };
      if (message.role !== "assistant" || message.model_reply === undefined) return message;
      const { model_reply: _reply, ...rest } = message;
      return rest;
    });
  }

  /** Reads the messages again, after the session was compacted. */
  reload(): void {
    this.#messages = repairHistory(this.#sessions.activeHistory(this.#sessionId));
    this.#start = this.#messages.findLastIndex(startsTurn);
  }

  /** The tokens of the messages, roughly. */
  tokens(): number {
    return approximateTokens(this.forHooks()) + approximateTokens([this.#context ?? ""]);
  }

  /** Context from hooks for this turn; it is never stored. */
  setContext(text: string): void {
    this.#context = text;
  }

  addInjected(content: string): void {
    this.#words.push(content);
    this.#add({ role: "user", content, name: INJECTED });
  }

  /** `content` is the answer's text after hooks. */
  addAnswer({ reply }: ModelAnswer, content: string): void {
    const model_reply = reply && withText(reply, content);
    this.#add({ role: "assistant", content, ...(model_reply && { model_reply }) });
  }

  addCalls({ text, reply }: ModelAnswer, calls: readonly AskedCall[]): void {
    this.#steps++;
    this.#calls += calls.length;
    this.#add({
      role: "assistant",
      content: text === "" ? null : text,
      tool_calls: calls.map(({ id, tool, args }) => ({
        id,
        type: "function",
        function: { name: tool, arguments: JSON.stringify(args) },
      })),
      ...(reply && { model_reply: reply }),
    });
  }

  /** Stores a result as soon as it is available; {@link addResults} puts a step's results in order. */
  storeResult(call: AskedCall, content: string): void {
    this.#sessions.append(this.#sessionId, resultOf(call, content));
  }

  addResults(calls: readonly AskedCall[], contents: readonly string[]): void {
    for (const [index, call] of calls.entries()) this.#messages.push(resultOf(call, contents[index] ?? ""));
  }

  /** The messages to send; `closing` is added at the end for this request only. */
  toModelMessages(closing?: string): ModelMessage[] {
    const messages = toModelMessages(this.#messages, { text: this.#context, at: this.#start }, this.#model);
    return closing === undefined ? messages : [...messages, { role: "user", content: closing }];
  }

  hints(): OfflineHints {
    return { words: this.#words, step: this.#steps, calls: this.#calls, first_answer: this.#firstAnswer };
  }

  #add(message: ChatMessage): void {
    this.#messages.push(message);
    this.#sessions.append(this.#sessionId, message);
  }
}

function resultOf({ id }: AskedCall, content: string): ChatMessage {
  return { role: "tool", tool_call_id: id, content };
}
