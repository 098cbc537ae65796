/** The port of messaging platforms. The gateway treats built-in adapters and those of plugins the same. */
import type { HermesError } from "#core/errors";
import type { Frame } from "#core/frames";
import type { ChatImage, ChatMessage } from "#core/messages";

/** The source of a message (seed 003, `pre_gateway_dispatch`). */
export interface MessageSource {
  readonly platform: string;
  /** `dm`, `group`, `thread`, `channel`, … */
  readonly chat_type: string;
  readonly chat_id: string;
  readonly user_id: string;
  readonly thread_id: string | null;
}

/** A message from a platform. */
export interface InboundMessage {
  readonly text: string;
  /** Images of the message, at most 8 MiB in total; the text may then be empty. */
  readonly images?: readonly ChatImage[];
  readonly source: MessageSource;
  /** In a group: the name of who writes. The model is told. */
  readonly speaker?: string;
  /** The message that this one replies to. The model is told. */
  readonly reply_to?: { readonly speaker: string; readonly text: string };
  /** For a message without words and images: the sentence that answers it. */
  readonly unreadable?: string;
  /**
   * The id of the message, unique on its platform (if messages are numbered per chat, it includes the chat): the same
   * id twice is the same message. Empty when there is none.
   */
  readonly message_id: string;
  /** True for messages of the program itself, which skip `pre_gateway_dispatch` and the access check. */
  readonly internal: boolean;
}

/** The target of an answer. */
export interface ReplyTarget {
  readonly chat_id: string;
  readonly thread_id: string | null;
}

/** What a text may have besides its words. */
export interface SendOptions {
  readonly thread_id?: string | null;
  /** Platforms without buttons ignore them: the text says what to write instead. */
  readonly buttons?: ReplyButtons;
}

/** Buttons below a text. A press is a message of the user who presses. */
export interface ReplyButtons {
  /** At most three. */
  readonly choices: readonly ReplyButton[];
  /** Aborts when a press has no effect any more: the adapter then removes the buttons if its platform can. */
  readonly until: AbortSignal;
}

export interface ReplyButton {
  /** At most 20 characters. */
  readonly label: string;
  /** The text of the message, such as `/approve`; at most 60 characters of ASCII. */
  readonly message: string;
  readonly style?: "primary" | "danger";
}

/** A message that grows while the model writes; only on platforms that can edit messages. */
export interface Draft {
  /** Shows the text so far. Returns immediately; the adapter respects its platform's rate limit. */
  update(text: string): void;
  /** Turns the draft into the finished answer. Resolves when the platform has accepted it. */
  finish(text: string): Promise<void>;
  /** Deletes the draft, because there is no answer. */
  discard(): Promise<void>;
}

/** A messaging platform of the gateway, built in or from a plugin (`ctx.register_platform`). */
export interface Adapter {
  /** The platform's name, as in `gateway.platforms` and in session keys. */
  readonly name: string;
  /**
   * Starts to receive messages and passes them to `inbox`. Resolves when it has started; rejects when the platform
   * cannot be reached now: the gateway reports that and retries with increasing delays.
   */
  start(inbox: Inbox): Promise<void>;
  /** Stops receiving messages. Answers can still be sent until it resolves. */
  stop(): Promise<void>;
  /**
   * Sends a finished text of any length. Resolves when the platform has accepted it, else rejects: then it is retried
   * with increasing delays, unless the error's `permanent` is true (for example, the chat is gone).
   */
  send(chat_id: string, text: string, options?: SendOptions): Promise<unknown>;
  /** Starts a draft. Absent if the platform cannot edit messages. */
  draft?(target: ReplyTarget): Draft;
}

/** The gateway's side for an adapter. */
export interface Inbox {
  /**
   * Takes a message. Resolves when it is done: answered, added to a running turn, refused or skipped; never rejects.
   * The answer is sent with `send` (or the draft), or only with `reply` if given, for platforms whose answer is the
   * response to the request, such as HTTP.
   */
  receive(message: InboundMessage, reply?: Reply): Promise<void>;
  /** The platform gave a chat another id: its conversations continue there. */
  moved?(from: string, to: string): void;
  /** False while the gateway shuts down, and after the adapter was stopped: messages are then refused. */
  isOpen(): boolean;
}

/** Receives the answer to one message instead of the adapter's `send`. */
export interface Reply {
  /**
   * Every frame of the message's turn, as it happens. While hooks listen to `transform_llm_output`, there are no `text`
   * and `reasoning` frames, so that nobody sees what a hook removes; the answer comes at the end.
   */
  readonly onFrame?: (frame: Frame) => void;
  /** The whole answer, or null when there is none (skipped, stopped, failed; `problem` has the reason). Called once. */
  readonly onEnd: (answer: {
    readonly text: string | null;
    readonly problem: HermesError | null;
    /** The session's id, also for a command, which has no frames. */
    readonly session_id?: string;
  }) => void;
  /** Aborts when nobody is waiting for the answer any more, which stops the turn. */
  readonly signal?: AbortSignal;
  /**
   * The earlier messages, if the request includes the history of the conversation: then the model gets these. Requests
   * of one conversation, recognised by `chat_id` and the user's messages, share a session, which stores only what is
   * new.
   */
  readonly history?: readonly ChatMessage[];
  /** Instructions of the client, which the model gets after ours, for this message only. */
  readonly instructions?: string;
  /** The id of a session of this platform to continue, instead of the one of the chat. */
  readonly session_id?: string;
}
