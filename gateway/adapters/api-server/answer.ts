/** Passes a request to the inbox and returns its answer, as one document or as a stream. */
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { HermesError, problemOf } from "#core/errors";
import type { Frame } from "#core/frames";
import type { InboundMessage, Inbox } from "#core/ports/platform";
import { completion, createChunks, usageOf, type CompletionFinishReason, type CompletionUsage } from "./completion.ts";
import { openEventStream, type EventStream } from "./event-stream.ts";
import { turnProblem, type RequestProblem } from "./problem.ts";
import type { ChatRequest } from "./request.ts";
import { streamWords } from "./streamed-text.ts";

export const PLATFORM = "api_server";

export interface AnswerContext {
  readonly inbox: Inbox;
  /** The model, for clients. */
  readonly model: () => { readonly id: string };
  /** False when a hook may replace the answer, so that nothing may be shown before. */
  readonly streaming: () => boolean;
  readonly keepAliveMs: number;
}

/** What is known about a turn from its frames. */
interface TurnFacts {
  model: string;
  sessionId: string | null;
  usage: CompletionUsage;
  finishReason: CompletionFinishReason;
}

type Ended = Parameters<NonNullable<Parameters<Inbox["receive"]>[1]>["onEnd"]>[0];

/** Answers with one `chat.completion`. Throws a RequestProblem when the turn failed. */
export async function answerOnce(
  context: AnswerContext,
  request: ChatRequest,
  response: ServerResponse,
): Promise<{ body: object; headers: Readonly<Record<string, string>> }> {
  const turn = begin(context);
  const ended = await ask(context, turn, request, response, () => undefined);
  const problem = failureOf(ended);
  if (problem !== null) throw problem;
  const { id, created, facts } = turn;
  const head = { id, created, model: facts.model };
  return { body: completion(head, ended.text ?? "", facts.finishReason, facts.usage), headers: sessionHeader(facts) };
}

/** Streams the answer. Throws a RequestProblem if the turn fails before anything was sent; later it sends an event. */
export async function answerInEvents(
  context: AnswerContext,
  request: ChatRequest,
  response: ServerResponse,
): Promise<void> {
  const turn = begin(context);
  const { id, created, facts } = turn;
  const stream = openEventStream(response, {
    keepAliveMs: context.keepAliveMs,
    headers: () => sessionHeader(facts),
  });
  let chunks: ReturnType<typeof createChunks> | undefined;
  const begun = () => {
    if (chunks !== undefined) return chunks;
    chunks = createChunks({ id, created, model: facts.model }, request.includeUsage);
    stream.send(chunks.role());
    return chunks;
  };
  const words = streamWords((text) => stream.send(begun().content(text)), context.streaming());
  const ended = await ask(context, turn, request, response, (frame) => words.take(frame));
  const problem = failureOf(ended);
  if (problem !== null) return fail(stream, problem);
  if (ended.text !== null) words.finish(ended.text);
  stream.send(begun().finish(facts.finishReason));
  if (request.includeUsage) stream.send(begun().usage(facts.usage));
  stream.send("[DONE]");
  stream.end();
}

function fail(stream: EventStream, problem: RequestProblem): void {
  if (!stream.begun) {
    stream.release();
    throw problem;
  }
  stream.send(problem.body());
  stream.send("[DONE]");
  stream.end();
}

interface Turn {
  readonly id: string;
  readonly created: number;
  readonly facts: TurnFacts;
}

function begin({ model }: AnswerContext): Turn {
  return {
    id: `chatcmpl-${randomUUID().replaceAll("-", "")}`,
    created: Math.floor(Date.now() / 1000),
    facts: { model: model().id, sessionId: null, usage: usageOf(0, 0), finishReason: "stop" },
  };
}

/** Resolves when the message is done. A client that disconnects stops the turn. */
function ask(
  { inbox }: AnswerContext,
  { id, facts }: Turn,
  request: ChatRequest,
  response: ServerResponse,
  onFrame: (frame: Frame) => void,
): Promise<Ended> {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  return new Promise((resolve) => {
    const reply = {
      onFrame(frame: Frame) {
        learn(facts, frame);
        onFrame(frame);
      },
      onEnd: resolve,
      signal: gone.signal,
      ...(request.history === null ? {} : { history: request.history }),
    };
    inbox.receive(messageOf(request, id), reply).catch((thrown: unknown) => {
      resolve({ text: null, problem: new HermesError("HERMES_INTERNAL", { problem: problemOf(thrown) }) });
    });
  });
}

function messageOf({ text, name, idempotencyKey }: ChatRequest, id: string): InboundMessage {
  // Without a conversation name, the client's id makes a retry the same message of the same chat.
  const person = name ?? idempotencyKey ?? id;
  return {
    text,
    source: { platform: PLATFORM, chat_type: "dm", chat_id: person, user_id: person, thread_id: null },
    message_id: idempotencyKey ?? id,
    internal: false,
  };
}

/** `facts` is read when the answer is composed. */
function learn(facts: TurnFacts, frame: Frame): void {
  if (frame.type === "session") Object.assign(facts, { model: frame.model, sessionId: frame.session_id });
  if (frame.type === "cost") facts.usage = usageOf(frame.input_tokens, frame.output_tokens);
  if (frame.type === "error" && frame.code === "HERMES_TURN_LIMIT") facts.finishReason = "length";
}

/**
 * Null for an answer, and for a message that has none for a good reason (skipped by a hook, stopped by `/stop` or by a
 * newer message): after an error, OpenAI's clients would send it again.
 */
function failureOf({ text, problem }: Ended): RequestProblem | null {
  if (text !== null || problem === null || problem.code === "HERMES_INTERRUPTED") return null;
  return turnProblem(problem);
}

/** Node rejects headers with special characters; session ids have none. */
function sessionHeader({ sessionId }: TurnFacts): Readonly<Record<string, string>> {
  return sessionId === null ? {} : { "x-hermes-session": sessionId };
}
