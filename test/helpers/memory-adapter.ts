/** A messaging platform in memory, which misbehaves as a test tells it to. */
import type { HermesError } from "#core/errors";
import type { Frame } from "#core/frames";
import type { ChatMessage } from "#core/messages";
import type {
  Adapter,
  Draft,
  InboundMessage,
  Inbox,
  MessageSource,
  ReplyButtons,
  ReplyTarget,
  SendOptions,
} from "#core/ports/platform";

export interface Sent {
  readonly chat_id: string;
  readonly text: string;
  readonly thread_id: string | null;
  readonly buttons?: ReplyButtons;
}

export interface Replied {
  readonly text: string | null;
  readonly problem: HermesError | null;
  readonly frames: readonly Frame[];
}

export interface MemoryAdapterOptions {
  readonly name?: string;
  /** What each `start` does, in order; after that they succeed. */
  readonly starts?: readonly (() => unknown)[];
  /** With drafts, as a platform that can edit messages. */
  readonly drafts?: boolean;
}

let count = 0;

export class MemoryAdapter implements Adapter {
  readonly name: string;
  /** What the platform took, in order. */
  readonly sent: Sent[] = [];
  /** What happened, in order: `start`, `stop`, and what drafts showed. */
  readonly happened: string[] = [];
  /** Runs before each send; what it throws or never ends is what the platform does. */
  onSend: (text: string, chat_id: string) => unknown = () => undefined;
  /** Runs before a draft is finished. */
  onFinish: (text: string) => unknown = () => undefined;
  /** Runs when a draft is deleted. */
  onDiscard: () => unknown = () => undefined;
  readonly draft?: (target: ReplyTarget) => Draft;
  readonly #starts: (() => unknown)[];
  #inbox: Inbox | undefined;

  constructor(options: MemoryAdapterOptions = {}) {
    this.name = options.name ?? "memory";
    this.#starts = [...(options.starts ?? [])];
    if (options.drafts === true) this.draft = (target) => this.#makeDraft(target);
  }

  async start(inbox: Inbox): Promise<void> {
    this.happened.push("start");
    await this.#starts.shift()?.();
    this.#inbox = inbox;
  }

  async stop(): Promise<void> {
    this.happened.push("stop");
  }

  async send(chat_id: string, text: string, { thread_id = null, buttons }: SendOptions = {}): Promise<void> {
    await this.onSend(text, chat_id);
    this.sent.push({ chat_id, text, thread_id, ...(buttons === undefined ? {} : { buttons }) });
  }

  /** What the gateway gave it. */
  get inbox(): Inbox {
    if (this.#inbox === undefined) throw new Error(`the adapter "${this.name}" was not started`);
    return this.#inbox;
  }

  /** A message of user 1 in a direct chat, unless said otherwise. */
  message(
    text: string,
    options: Partial<MessageSource & Omit<InboundMessage, "source" | "text">> = {},
  ): InboundMessage {
    const { message_id = `m${++count}`, internal = false, images, speaker, reply_to, unreadable, ...source } = options;
    return {
      text,
      ...(images === undefined ? {} : { images }),
      ...(speaker === undefined ? {} : { speaker }),
      ...(reply_to === undefined ? {} : { reply_to }),
      ...(unreadable === undefined ? {} : { unreadable }),
      message_id,
      internal,
      source: { platform: this.name, chat_type: "dm", chat_id: "1", user_id: "1", thread_id: null, ...source },
    };
  }

  /** Brings a message; resolves when the gateway has dealt with it. */
  receive(text: string, options: Parameters<MemoryAdapter["message"]>[1] = {}): Promise<void> {
    return this.inbox.receive(this.message(text, options));
  }

  /** Brings a message whose answer is the response to it. */
  async ask(
    text: string,
    options: Parameters<MemoryAdapter["message"]>[1] & {
      readonly signal?: AbortSignal;
      readonly history?: readonly ChatMessage[];
      readonly instructions?: string;
      readonly session_id?: string;
      readonly onFrame?: (frame: Frame) => void;
    } = {},
  ): Promise<Replied> {
    const { signal, history, instructions, session_id, onFrame, ...rest } = options;
    const frames: Frame[] = [];
    const answers: Omit<Replied, "frames">[] = [];
    await this.inbox.receive(this.message(text, rest), {
      onFrame: (frame) => {
        frames.push(frame);
        onFrame?.(frame);
      },
      onEnd: (answer) => void answers.push(answer),
      ...(signal === undefined ? {} : { signal }),
      ...(history === undefined ? {} : { history }),
      ...(instructions === undefined ? {} : { instructions }),
      ...(session_id === undefined ? {} : { session_id }),
    });
    const [answer] = answers;
    if (answer === undefined || answers.length > 1) throw new Error(`the request was answered ${answers.length} times`);
    return { ...answer, frames };
  }

  /** The texts that a chat got. */
  textsOf(chat_id: string): readonly string[] {
    return this.sent.filter((one) => one.chat_id === chat_id).map(({ text }) => text);
  }

  #makeDraft({ chat_id, thread_id }: ReplyTarget): Draft {
    this.happened.push("draft");
    return {
      update: (text) => void this.happened.push(`update ${text}`),
      finish: async (text) => {
        await this.onFinish(text);
        this.happened.push("finish");
        this.sent.push({ chat_id, text, thread_id });
      },
      discard: async () => {
        this.happened.push("discard");
        await this.onDiscard();
      },
    };
  }
}
