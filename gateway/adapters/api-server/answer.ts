/** Gives a client its answer in the format of its route, as one document or as a stream. */
import type { ServerResponse } from "node:http";
import { openEventStream, type EventStream } from "./event-stream.ts";
import { RequestProblem } from "./problem.ts";
import type { Answer, AnswerPart, AnswerSource } from "./running-answer.ts";

/** The wire format of a route. */
export interface AnswerFormat {
  /** The whole answer as one document. */
  document(answer: Answer): object;
  /** Writes the answer as events. */
  events(stream: EventStream): EventWriter;
}

export interface EventWriter {
  take(part: AnswerPart): void;
  finish(answer: Answer): void;
  /** After at least one event. */
  fail(problem: RequestProblem): void;
}

type Headers = Readonly<Record<string, string>>;

/** Throws a RequestProblem when the turn failed. */
export async function answerOnce(
  source: AnswerSource,
  format: AnswerFormat,
  response: ServerResponse,
): Promise<{ body: object; headers: Headers }> {
  const answer = await source.follow(() => undefined, goneFrom(response));
  if (answer instanceof RequestProblem) throw answer;
  return { body: format.document(answer), headers: sessionHeader(answer.sessionId) };
}

/** Throws a RequestProblem if the turn fails before anything was sent; later it sends an event. */
export async function answerInEvents(
  source: AnswerSource,
  format: AnswerFormat,
  response: ServerResponse,
  keepAliveMs: number,
): Promise<void> {
  let sessionId: string | null = null;
  const stream = openEventStream(response, { keepAliveMs, headers: () => sessionHeader(sessionId) });
  const writer = format.events(stream);
  const answer = await source.follow((part) => {
    if (part.kind === "begin") ({ sessionId } = part.head);
    writer.take(part);
  }, goneFrom(response));
  if (!(answer instanceof RequestProblem)) writer.finish(answer);
  else if (stream.begun) writer.fail(answer);
  else {
    stream.release();
    throw answer;
  }
  stream.end();
}

/** Aborts when the client disconnects before it has its answer. */
function goneFrom(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** Node rejects headers with special characters; session ids have none. */
function sessionHeader(sessionId: string | null): Headers {
  return sessionId === null ? {} : { "x-hermes-session-id": sessionId };
}
