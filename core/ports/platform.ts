/** The port of messaging platforms. Built-in adapters and those of plugins are the same to the gateway. */
import type { HermesError } from "#core/errors";
import type { Frame } from "#core/frames";
import type { ChatMessage } from "#core/messages";

/** Where a message came from (seed 003, `pre_gateway_dispatch`). */
export interface MessageSource {
  readonly platform: string;
  /** `dm`, `group`, `thread`, `channel`, … */
  readonly chat_type: string;
  readonly chat_id: string;
  readonly user_id: string;
  readonly thread_id: string | null;
}

/** A message that a platform brought. */
export interface InboundMessage {
  readonly text: string;
  readonly source: MessageSource;
  /**
   * The id of the message, unique on its platform (where messages are numbered chat by chat, with the chat in it): what
   * comes twice under one id is one message. Empty where there is none.
   */
  readonly message_id: string;
  /** Made by the program itself: skips `pre_gateway_dispatch` and the access check. */
  readonly internal: boolean;
}

/** Where an answer goes. */
export interface ReplyTarget {
  readonly chat_id: string;
  readonly thread_id: string | null;
}

/** A message of ours that grows while the model writes; a platform that cannot edit has none. */
export interface Draft {
  /** Shows the text so far. Returns at once; the adapter shows as much as its platform's rate allows. */
  update(text: string): void;
  /** Makes the draft the finished answer. Resolves when the platform has taken it. */
  finish(text: string): Promise<void>;
  /** Takes the draft away: there is no answer. */
  discard(): Promise<void>;
}

/** A messaging platform of the gateway. Ours and those of plugins (`ctx.register_platform`) are the same to the router. */
export interface Adapter {
  /** The platform's name, as in `gateway.platforms` and in session keys. */
  readonly name: string;
  /**
   * Begins to take messages, which it hands to `inbox`. Resolves when it does; rejects when the platform cannot be
   * reached now: the gateway says so and tries again, later and later.
   */
  start(inbox: Inbox): Promise<void>;
  /** Takes no more messages. Answers can still be sent until it resolves. */
  stop(): Promise<void>;
  /**
   * Sends a finished text, however long it is. Resolves when the platform has taken it, rejects when it has not: it is
   * sent again then, later and later, unless the error's `permanent` is true (the chat is gone, say).
   */
  send(chat_id: string, text: string, options?: { readonly thread_id?: string | null }): Promise<unknown>;
  /** Begins a message that grows. Absent where the platform cannot edit messages. */
  draft?(target: ReplyTarget): Draft;
}

/** What an adapter gets of the gateway. */
export interface Inbox {
  /**
   * Takes a message. Resolves when it is dealt with: answered, queued into a running turn, refused or skipped; never
   * rejects. The answer goes out through `send` (or the draft), or, when `reply` is given, through that alone: for
   * platforms whose answer is the response to the request, such as HTTP.
   */
  receive(message: InboundMessage, reply?: Reply): Promise<void>;
}

/** Takes the answer to one message instead of the adapter's `send`. */
export interface Reply {
  /**
   * Every frame of the message's turn, as it happens. While hooks listen on `transform_llm_output` there are no `text`
   * frames, so that nobody sees what a hook takes out: the answer comes at the end then.
   */
  readonly onFrame?: (frame: Frame) => void;
  /** The whole answer, or null when there is none (skipped, stopped, failed: `problem` says why then). Called once. */
  readonly onEnd: (answer: { readonly text: string | null; readonly problem: HermesError | null }) => void;
  /** Aborts when nobody waits for the answer any more: the turn is stopped. */
  readonly signal?: AbortSignal;
  /** Where the history of the conversation is the request's own: what came before the message. */
  readonly history?: readonly ChatMessage[];
}
