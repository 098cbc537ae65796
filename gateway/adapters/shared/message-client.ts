/** What the shared parts of adapters need of a platform's API. Every function only throws a CallFailure. */
import type { ReplyButtons, ReplyTarget } from "#core/ports/platform";

export interface SendCall {
  /** Ends the call early; without one the client bounds it. */
  readonly signal?: AbortSignal;
  readonly buttons?: ReplyButtons;
}

/** `Id` is the id of a message. */
export interface MessageClient<Id> {
  sendMessage(target: ReplyTarget, text: string, call?: SendCall): Promise<Id>;
  /** Takes the buttons of a message away and leaves its text. Absent if the platform cannot. */
  removeButtons?(
    target: ReplyTarget,
    message: { readonly id: Id; readonly text: string },
    signal: AbortSignal,
  ): Promise<void>;
}

/** Of a platform that can change messages. */
export interface EditingClient<Id> extends MessageClient<Id> {
  editMessage(target: ReplyTarget, id: Id, text: string, signal?: AbortSignal): Promise<void>;
  deleteMessage(target: ReplyTarget, id: Id, signal?: AbortSignal): Promise<void>;
}

export interface TypingClient {
  showTyping(target: ReplyTarget): Promise<void>;
}
