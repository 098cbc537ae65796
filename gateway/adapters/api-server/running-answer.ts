/** One turn of the gateway, and the clients that wait for its answer. */
import { randomBytes } from "node:crypto";
import { HermesError, problemOf } from "#core/errors";
import type { Frame } from "#core/frames";
import type { InboundMessage, Inbox, Reply } from "#core/ports/platform";
import { derivedName, type ApiRequest } from "./api-request.ts";
import { turnProblem, type RequestProblem } from "./problem.ts";
import { streamWords } from "./streamed-text.ts";

export const PLATFORM = "api_server";

/** Why an answer ended; `length` also when the turn reached its limit of model requests. */
export type AnswerEnd = "stop" | "length" | "content_filter";

export interface Answer {
  /** 32 random hexadecimal digits. */
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly sessionId: string | null;
  readonly text: string;
  readonly reasoning: string;
  readonly end: AnswerEnd;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** A piece of an answer. `begin` is the first: from then on the answer's model and session are known. */
export type AnswerPart =
  | { readonly kind: "begin"; readonly head: AnswerHead }
  | { readonly kind: "text" | "reasoning"; readonly delta: string };

export type AnswerHead = Pick<Answer, "id" | "created" | "model" | "sessionId">;

export interface AnswerSource {
  /**
   * Passes the parts so far and those to come, and resolves with the whole answer, or with why there is none. `gone`
   * aborts when the client has disconnected: when all have, the turn is stopped.
   */
  follow(onPart: (part: AnswerPart) => void, gone: AbortSignal): Promise<Answer | RequestProblem>;
}

export interface TurnContext {
  readonly inbox: Inbox;
  /** The model, for clients. */
  readonly model: () => { readonly id: string };
  /** False when a hook may replace the answer, so that nothing may be shown before. */
  readonly streaming: () => boolean;
}

type Ended = Parameters<Reply["onEnd"]>[0];

export class RunningAnswer implements AnswerSource {
  /** Whether the answer may be given again; false for one that was stopped. */
  isComplete = false;
  readonly ended: Promise<Answer | RequestProblem>;
  readonly #parts: AnswerPart[] = [];
  readonly #followers = new Set<(part: AnswerPart) => void>();
  readonly #gone = new AbortController();
  #answer: Answer;
  #isNewStep = false;

  /** Starts the turn. */
  constructor(context: TurnContext, request: ApiRequest) {
    this.#answer = {
      id: randomBytes(16).toString("hex"),
      created: Math.floor(Date.now() / 1000),
      model: context.model().id,
      sessionId: null,
      text: "",
      reasoning: "",
      end: "stop",
      inputTokens: 0,
      outputTokens: 0,
    };
    this.ended = this.#run(context, request);
  }

  /** True once nobody waits for it any more; it can't be joined then. */
  get isStopped(): boolean {
    return this.#gone.signal.aborted;
  }

  async follow(onPart: (part: AnswerPart) => void, gone: AbortSignal): Promise<Answer | RequestProblem> {
    for (const part of this.#parts) onPart(part);
    this.#followers.add(onPart);
    const leave = () => {
      this.#followers.delete(onPart);
      if (this.#followers.size === 0) this.#gone.abort();
    };
    gone.addEventListener("abort", leave, { once: true });
    if (gone.aborted) leave();
    return this.ended;
  }

  async #run(context: TurnContext, request: ApiRequest): Promise<Answer | RequestProblem> {
    const live = context.streaming();
    const words = streamWords((delta) => this.#show({ kind: "text", delta }), live);
    const ended = await this.#ask(context, request, (frame) => {
      this.#learn(frame, live);
      words.take(frame);
    });
    const { text, problem } = ended;
    this.isComplete = problem === null || text !== null;
    if (!isAnswered(ended)) return turnProblem(problem!);
    if (this.#answer.sessionId === null) this.#answer = { ...this.#answer, sessionId: ended.session_id ?? null };
    this.#begin();
    if (text !== null) words.finish(text);
    this.#answer = { ...this.#answer, text: text ?? "" };
    return this.#answer;
  }

  #ask({ inbox }: TurnContext, request: ApiRequest, onFrame: (frame: Frame) => void): Promise<Ended> {
    return new Promise((resolve) => {
      const reply: Reply = { ...contextOf(request), onFrame, onEnd: resolve, signal: this.#gone.signal };
      inbox.receive(messageOf(request, this.#answer.id), reply).catch((thrown: unknown) => {
        resolve({ text: null, problem: new HermesError("HERMES_INTERNAL", { problem: problemOf(thrown) }) });
      });
    });
  }

  #learn(frame: Frame, live: boolean): void {
    if (frame.type === "session") {
      this.#answer = { ...this.#answer, model: frame.model, sessionId: frame.session_id };
      this.#begin();
    }
    if (frame.type === "reasoning" && live) this.#reason(frame.delta);
    if (frame.type === "tool_use") this.#isNewStep = true;
    const end = endOf(frame);
    if (end !== undefined) this.#answer = { ...this.#answer, end };
    if (frame.type === "cost") {
      this.#answer = { ...this.#answer, inputTokens: frame.input_tokens, outputTokens: frame.output_tokens };
    }
  }

  /** A blank line separates the reasoning of steps. */
  #reason(words: string): void {
    const { reasoning } = this.#answer;
    const delta = this.#isNewStep && reasoning !== "" ? `\n\n${words}` : words;
    this.#isNewStep = false;
    this.#answer = { ...this.#answer, reasoning: reasoning + delta };
    this.#show({ kind: "reasoning", delta });
  }

  #begin(): void {
    const { id, created, model, sessionId } = this.#answer;
    if (this.#parts.length === 0) this.#show({ kind: "begin", head: { id, created, model, sessionId } });
  }

  #show(part: AnswerPart): void {
    if (part.kind !== "begin") this.#begin();
    this.#parts.push(part);
    for (const follower of this.#followers) follower(part);
  }
}

/** An answer that was given before. */
export function givenAnswer(answer: Answer): AnswerSource {
  const { id, created, model, sessionId, text, reasoning } = answer;
  return {
    async follow(onPart) {
      onPart({ kind: "begin", head: { id, created, model, sessionId } });
      if (reasoning !== "") onPart({ kind: "reasoning", delta: reasoning });
      if (text !== "") onPart({ kind: "text", delta: text });
      return answer;
    },
  };
}

/**
 * True for an answer, and for a message that has none for a good reason (skipped by a hook, stopped by `/stop` or by a
 * newer message): after an error, OpenAI's clients would send it again.
 */
function isAnswered({ text, problem }: Ended): boolean {
  return text !== null || problem === null || problem.code === "HERMES_INTERRUPTED";
}

function endOf(frame: Frame): AnswerEnd | undefined {
  if (frame.type === "error" && frame.code === "HERMES_TURN_LIMIT") return "length";
  if (frame.type !== "assistant") return undefined;
  const { finish_reason: reason } = frame;
  return reason === "length" || reason === "content_filter" ? reason : undefined;
}

function contextOf({
  history,
  instructions,
  sessionId,
}: ApiRequest): Pick<Reply, "history" | "instructions" | "session_id"> {
  return {
    ...(history === null ? {} : { history }),
    ...(instructions === "" ? {} : { instructions }),
    ...(sessionId === null ? {} : { session_id: sessionId }),
  };
}

function messageOf(request: ApiRequest, id: string): InboundMessage {
  const { text, images } = request;
  const person = request.name ?? derivedName(request);
  return {
    text,
    ...(images.length === 0 ? {} : { images }),
    source: { platform: PLATFORM, chat_type: "dm", chat_id: person, user_id: person, thread_id: null },
    message_id: id,
    internal: false,
  };
}
