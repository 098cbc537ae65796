/** `Idempotency-Key`: a request that is sent again gets the answer of the first one. */
import type { DatabaseSync } from "node:sqlite";
import { BoundedMap } from "#core/bounded-map";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import { RequestProblem } from "./problem.ts";
import { givenAnswer, type Answer, type AnswerSource, type RunningAnswer } from "./running-answer.ts";

/** How a request is recognised. */
export interface RequestIdentity {
  /** The name of its conversation; empty for one without a name. */
  readonly conversation: string;
  /** The client's `Idempotency-Key`. */
  readonly key: string;
  /** What it asks for, as a digest. */
  readonly request: string;
}

interface Known {
  readonly request: string;
  readonly source: AnswerSource;
}

const KEPT_HOURS = 24;
const MOST_IN_MEMORY = 1000;

/** Keeps answers in `state.db` as long as their sessions, or in memory while that is not writable. */
export class GivenAnswers {
  readonly #database: DatabaseSync;
  readonly #log: Log;
  readonly #running = new Map<string, { readonly request: string; readonly source: RunningAnswer }>();
  readonly #inMemory = new BoundedMap<string, { readonly request: string; readonly answer: Answer }>(MOST_IN_MEMORY);

  constructor(database: DatabaseSync, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /**
   * The answer that the request got, or the one that it is getting; else `start` makes a new one, which is kept if the
   * turn succeeds. Throws a RequestProblem (422) when the key belongs to another request of the conversation.
   */
  find(identity: RequestIdentity, start: () => RunningAnswer): AnswerSource {
    const known = this.#known(identity);
    if (known === undefined) return this.#start(identity, start());
    if (known.request === identity.request) return known.source;
    const message = "This Idempotency-Key was used for another request of this conversation. Use a new one.";
    throw new RequestProblem(422, "idempotency_key_reused", message, { "x-should-retry": "false" });
  }

  #known(identity: RequestIdentity): Known | undefined {
    const running = this.#running.get(nameOf(identity));
    if (running !== undefined && !running.source.isStopped) return running;
    return this.#stored(identity);
  }

  #start(identity: RequestIdentity, source: RunningAnswer): AnswerSource {
    const name = nameOf(identity);
    const running = { request: identity.request, source };
    this.#running.set(name, running);
    void source.ended.then((answer) => {
      if (this.#running.get(name) === running) this.#running.delete(name);
      if (source.isComplete && !(answer instanceof RequestProblem)) this.#keep(identity, answer);
    });
    return source;
  }

  #keep(identity: RequestIdentity, answer: Answer): void {
    const { conversation, key, request } = identity;
    try {
      this.#database.prepare("DELETE FROM api_answers WHERE created_at < ?").run(oldestKept());
      this.#database
        .prepare(
          `INSERT OR REPLACE INTO api_answers (conversation, key, request, answer, session_id, created_at)
           VALUES (?, ?, ?, ?, ?, ?)`,
        )
        .run(conversation, key, request, JSON.stringify(answer), answer.sessionId, new Date().toISOString());
      this.#inMemory.delete(nameOf(identity));
    } catch (error) {
      this.#log.warn("api_server: an answer cannot be kept in state.db", { problem: problemOf(error) });
      this.#inMemory.set(nameOf(identity), { request, answer });
    }
  }

  #stored(identity: RequestIdentity): Known | undefined {
    const kept = this.#inMemory.get(nameOf(identity));
    if (kept !== undefined) return { request: kept.request, source: givenAnswer(kept.answer) };
    try {
      const row = this.#database
        .prepare("SELECT request, answer FROM api_answers WHERE conversation = ? AND key = ? AND created_at >= ?")
        .get(identity.conversation, identity.key, oldestKept()) as { request: string; answer: string } | undefined;
      if (row === undefined) return undefined;
      return { request: row.request, source: givenAnswer(JSON.parse(row.answer) as Answer) };
    } catch (error) {
      this.#log.warn("api_server: kept answers cannot be read from state.db", { problem: problemOf(error) });
      return undefined;
    }
  }
}

function nameOf({ conversation, key }: RequestIdentity): string {
  return JSON.stringify([conversation, key]);
}

function oldestKept(): string {
  return new Date(Date.now() - KEPT_HOURS * 3_600_000).toISOString();
}
