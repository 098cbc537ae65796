/** Routes every message: drops duplicates, runs hooks, checks access, then runs a command or a turn. */
import { parseSlash, type SlashCommand } from "#core/command-events";
import { HermesError, problemOf } from "#core/errors";
import type { Frame } from "#core/frames";
import type { Session } from "#core/ports/agent";
import type { InboundMessage, Inbox } from "#core/ports/platform";
import { isMapping } from "#core/mapping";
import { admit, type AdmissionDeps } from "./admission.ts";
import { isUrgent, runCommand, type CommandDeps } from "./commands.ts";
import { ChatSession, type StopReason } from "./chat-session.ts";
import type { GatewayDeps } from "./deps.ts";
import { asHermesError, sentenceFor } from "./failure.ts";
import type { IdleResets } from "./idle-resets.ts";
import {
  idOf,
  LONGEST_MESSAGE,
  readInboundMessage,
  readRequestContext,
  userMessage,
  type RequestContext,
} from "./message.ts";
import { reportedRecipient } from "./message-report.ts";
import type { ReceivedMessages } from "./received.ts";
import { createChatRecipient, createReplyRecipient, type Recipient, type RecipientDeps } from "./recipient.ts";
import { sessionKey } from "./session-key.ts";
import { spokenText } from "./spoken.ts";
import { runChatTurn, type MessageWish } from "./turn.ts";
import type { UnansweredMessages } from "./unanswered.ts";

export interface RouterDeps extends AdmissionDeps, CommandDeps, RecipientDeps {
  readonly runner: GatewayDeps["runner"];
  readonly received: ReceivedMessages;
  readonly unanswered: UnansweredMessages;
  readonly onMessage?: GatewayDeps["onMessage"];
  readonly idle: IdleResets;
}

/** A valid message and the recipient of its answer. */
interface Incoming {
  readonly message: InboundMessage;
  readonly recipient: Recipient;
  /** True when the answer goes to a chat, not to the caller of a request. */
  readonly isChat: boolean;
  /** The key of the conversation; null for a request that brings its own history. */
  readonly key: string | null;
  readonly request: RequestContext;
  readonly open: () => Session;
  /** False for a request that brings its own history or continues a session by its id. */
  readonly isNamed: boolean;
  /** The session that the conversation has now. */
  readonly find: () => Session | undefined;
  readonly conversation: ChatSession<MessageWish>;
}

/** What is left to wait for once a message was examined. */
interface Looked {
  readonly done: Promise<void>;
}

const DONE: Looked = { done: Promise.resolve() };

export class Router {
  readonly #deps: RouterDeps;
  readonly #conversations = new Map<string, ChatSession<MessageWish>>();
  #requests = 0;
  #isOpen = true;

  constructor(deps: RouterDeps) {
    this.#deps = deps;
    deps.idle.start((key, work) => this.#alone(key, work));
  }

  /** The number of running turns. */
  get active(): number {
    return [...this.#conversations.values()].filter(({ status }) => status.runningSince !== null).length;
  }

  /** The inbox for the messages of a platform's adapter. */
  inbox(platform: string, isOpen: () => boolean): Inbox {
    return {
      receive: async (given, reply) => {
        let recipient: Recipient | undefined;
        try {
          if (isMapping(reply)) recipient = createReplyRecipient(reply, this.#deps);
          await this.#receive(given, { platform, recipient, request: readRequestContext(reply), isOpen: isOpen() });
        } catch (error) {
          const problem = asHermesError(error);
          this.#deps.log.error("a message failed", { platform, problem: problem.message });
          await recipient?.fail(problem, null);
        }
      },
      moved: (from: unknown, to: unknown) => this.#move(platform, idOf(from), idOf(to)),
      isOpen: () => this.#isOpen && isOpen(),
    };
  }

  /** Accepts no more messages; waiting ones are answered with a notice. */
  close(): void {
    this.#isOpen = false;
    this.#deps.idle.stop();
    for (const conversation of this.#conversations.values()) conversation.dropWaiting("draining");
  }

  /** Stops running turns. */
  stop(reason: StopReason): void {
    for (const conversation of this.#conversations.values()) conversation.stop(reason);
  }

  /** Resolves when nothing is arriving, running or waiting any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#conversations.values()].map((conversation) => conversation.settled()));
  }

  async #receive(
    given: unknown,
    from: {
      readonly platform: string;
      readonly recipient: Recipient | undefined;
      readonly request: RequestContext;
      readonly isOpen: boolean;
    },
  ): Promise<void> {
    const { platform, request } = from;
    const message = readInboundMessage(given, platform, from.recipient === undefined);
    if ("problem" in message) {
      this.#deps.log.warn("a platform passed an invalid message", { platform, problem: message.problem });
      return from.recipient?.fail(new HermesError("HERMES_MESSAGE_INVALID", { problem: message.problem }), null);
    }
    const plain = from.recipient ?? createChatRecipient(message.source, this.#deps);
    const { onMessage } = this.#deps;
    const recipient = onMessage === undefined ? plain : reportedRecipient(plain, message.source, onMessage);
    // A stopped adapter cannot send anything either.
    if (!from.isOpen) return recipient.fail(new HermesError("HERMES_GATEWAY_STOPPING", {}), null);
    if (!this.#isOpen) return this.#refuse(message, recipient);
    if (!message.internal && !this.#deps.received.isNew(message)) {
      return recipient.fail(new HermesError("HERMES_MESSAGE_REPEATED", { id: message.message_id }), null);
    }
    const isChat = from.recipient === undefined;
    try {
      await this.#converse({ message, recipient, isChat, request });
    } finally {
      this.#deps.received.settle(message);
    }
  }

  async #converse(given: Pick<Incoming, "message" | "recipient" | "isChat" | "request">): Promise<void> {
    const { message, request } = given;
    const { name, ...place } = this.#place(message, request);
    const conversation = this.#conversation(name);
    const incoming: Incoming = { ...given, ...place, conversation };
    const command = commandOf(message);
    try {
      const { done } = await conversation.admit(command !== undefined && isUrgent(command), () => this.#look(incoming));
      await done;
    } finally {
      if (conversation.isIdle) this.#conversations.delete(name);
    }
  }

  /** The conversation of a message: its name here, its key, and how to find its session. */
  #place(
    { text, images, source }: InboundMessage,
    { history, session_id }: RequestContext,
  ): { readonly name: string } & Pick<Incoming, "key" | "open" | "find" | "isNamed"> {
    const { live, settings } = this.#deps;
    const { platform } = source;
    const key = sessionKey(source, settings());
    if (history !== undefined) {
      // Requests that bring their history may run in parallel.
      const request = { key, history, message: userMessage(text, images) };
      const name = `request ${++this.#requests}`;
      const open = () => live.openForClient(request, platform);
      return { name, key: null, open, find: () => undefined, isNamed: false };
    }
    const session = session_id === undefined ? undefined : live.byId(session_id, platform);
    if (session === undefined) {
      return { name: key, key, open: () => live.open(key, platform), find: () => live.find(key), isNamed: true };
    }
    const open = () => session;
    const isCurrent = session.key !== null && live.find(session.key)?.id === session.id;
    if (!isCurrent) return { name: `session ${session.id}`, key: session.key, open, find: open, isNamed: false };
    return { name: session.key, key: session.key, open, find: () => live.find(session.key), isNamed: false };
  }

  /** Runs work between the messages of a conversation. */
  async #alone(key: string, work: () => Promise<void>): Promise<void> {
    const conversation = this.#conversation(key);
    try {
      await conversation.admit(false, work);
    } finally {
      if (conversation.isIdle) this.#conversations.delete(key);
    }
  }

  #move(platform: string, from = "", to = ""): void {
    if (from === "" || to === "") return;
    try {
      this.#deps.live.move(platform, from, to);
      this.#deps.log.info("a chat has another id", { platform, from, to });
    } catch (error) {
      this.#deps.log.warn("a chat's conversations could not be moved", {
        platform,
        from,
        to,
        problem: problemOf(error),
      });
    }
  }

  /** The gateway shuts down: users with access are told, so that they can send the message again. */
  #refuse({ source, internal }: InboundMessage, recipient: Recipient): Promise<void> {
    const stopping = new HermesError("HERMES_GATEWAY_STOPPING", {});
    const mayKnow = internal || this.#deps.access.allows(source);
    return recipient.fail(stopping, mayKnow ? stopping.message : null);
  }

  #conversation(name: string): ChatSession<MessageWish> {
    const known = this.#conversations.get(name);
    if (known !== undefined) return known;
    const conversation = new ChatSession<MessageWish>({
      run: (wish, signal) => runChatTurn(this.#deps, wish, signal),
      inject: (text) => this.#inject(name, text),
    });
    this.#conversations.set(name, conversation);
    return conversation;
  }

  #inject(key: string, text: string): boolean {
    try {
      const session = this.#deps.live.find(key);
      return session !== undefined && this.#deps.runner.inject(session.id, text, session.platform);
    } catch (error) {
      this.#deps.log.warn("a message could not be added to the running turn", { problem: problemOf(error) });
      return false;
    }
  }

  async #look(incoming: Incoming): Promise<Looked> {
    const { message, recipient, isChat, key, open, isNamed, request, conversation } = incoming;
    const admitted = await admit(this.#deps, message, recipient, key);
    if (admitted === null) return DONE;
    const { platform, user_id } = message.source;
    const { internal, images } = message;
    const command = commandOf({ text: admitted.text, internal });
    if (command !== undefined) return this.#command(command, incoming);
    if (!this.#isOpen) return { done: this.#refuse(message, recipient) };
    const place = key === null || !isNamed ? null : { key, source: message.source, isChat };
    if (place !== null) await this.#deps.idle.resetIfIdle(place);
    const text = spokenText(admitted.text, message);
    const { questions } = this.#deps;
    const wish: MessageWish = {
      ...admitted,
      text,
      images,
      recipient,
      before: [],
      key,
      open,
      platform,
      user_id,
      request,
      ask: isChat && key !== null && user_id !== "" ? questions.asker({ key, user_id, recipient }) : undefined,
    };
    const answered = isChat && !internal ? this.#deps.unanswered.add(message.source, admitted.text) : () => undefined;
    this.#deps.received.settle(message);
    recipient.onStored(answered);
    // Messages of the program itself never end a turn that a user asked for.
    const mode = internal ? "queue" : (this.#deps.settings().busy ?? "interrupt");
    const done = conversation.take(wish, mode).then(() => {
      answered();
      if (place !== null) this.#deps.idle.note(place);
    });
    return { done };
  }

  async #command(command: SlashCommand, incoming: Incoming): Promise<Looked> {
    const { message, recipient, key, conversation, find } = incoming;
    this.#deps.received.settle(message);
    const show = (frame: Frame) => recipient.show(frame);
    try {
      const answer = await runCommand(command, { source: message.source, key, conversation, show }, this.#deps);
      return { done: answer === null ? recipient.end() : recipient.answer(answer, find()?.id) };
    } catch (error) {
      const problem = asHermesError(error);
      this.#deps.log.error("a command failed", { command: command.name, problem: problem.message });
      return { done: recipient.fail(problem, sentenceFor(problem.code)) };
    }
  }
}

function commandOf({ text, internal }: Pick<InboundMessage, "text" | "internal">): SlashCommand | undefined {
  return internal || text.length > LONGEST_MESSAGE ? undefined : parseSlash(text);
}
