/** What becomes of one request: from its path to its answer, in the order of the contract (CONTRACT §13). */
import type { InboundRecord } from "#core/home/inbound-log";
import type { Log } from "#core/home/log";
import { problemOf } from "#core/errors";
import { OncePerMinute } from "#core/rare-log";
import type { InboundRunStore } from "#core/ports/inbound";
import { ANSWERS, jsonAnswer, laterAnswer, readScriptAnswer, wrongMethod, type Answer } from "./answers.ts";
import { AsyncRuns } from "./async-runs.ts";
import { deliver, requestKey, type WebhookInbox } from "./deliver.ts";
import type { InboundHook } from "./hooks.ts";
import { coalesceKey, dedupId, hookVariables, soleHeader, type InboundRequest } from "./request.ts";
import { findRun } from "./run-status.ts";
import { SCHEMES, type Proof, whyUnverified } from "./schemes.ts";
import { errorTail, outcomeOf, type Outcome, type RunScript, type ScriptEnd } from "./script.ts";
import { RateLimit, Slots } from "./slots.ts";

export interface ReceiverOptions {
  /** The name of the session that stays. */
  readonly session: string;
  readonly hooks: readonly InboundHook[];
  readonly run: RunScript;
  readonly inbox: WebhookInbox;
  readonly runs: InboundRunStore;
  readonly log: Log;
  readonly record: (record: InboundRecord) => void;
  /** Called when a message was stored. */
  readonly onStored?: () => void;
}

/** Reads a body of at most `most` bytes. */
export type ReadBody = (most: number) => Promise<Buffer | "too_large" | "incomplete">;

/** What a request is answered with, and what its record says beside that. */
interface Handled {
  readonly answer: Answer;
  readonly end?: ScriptEnd;
  readonly problem?: string;
  readonly runId?: string;
  /** True when anyone who reaches the port can get this answer. */
  readonly toStranger?: boolean;
}

/** The state of a hook in this process. */
interface Gate {
  readonly slots: Slots;
  readonly rate: RateLimit;
  /** The dedup ids of requests whose scripts have not ended. */
  readonly inFlight: Set<string>;
  /** Strangers could fill the log; what they are told is in it once a minute. */
  readonly strangers: OncePerMinute;
  /** How many answers to strangers were left out of the log since then. */
  unlogged: number;
}

export class InboundReceiver {
  readonly #options: ReceiverOptions;
  readonly #gates = new Map<string, Gate>();
  readonly #asyncRuns: AsyncRuns;
  readonly #cut = new AbortController();
  #stopping = false;
  readonly #handling = new Set<Promise<unknown>>();

  constructor(options: ReceiverOptions) {
    this.#options = options;
    for (const hook of options.hooks) {
      this.#gates.set(hook.name, {
        slots: new Slots(hook),
        rate: new RateLimit(hook.rateLimit),
        inFlight: new Set(),
        strangers: new OncePerMinute(),
        unlogged: 0,
      });
    }
    this.#asyncRuns = new AsyncRuns({
      ...options,
      slotsOf: (hook) => this.#gates.get(hook)!.slots,
      cut: this.#cut.signal,
    });
  }

  /** Takes up what an earlier process has left. */
  async start(): Promise<void> {
    await this.#asyncRuns.start();
  }

  /** Answers a request that came to a listener. Never rejects. */
  async answer(listener: string, request: InboundRequest, readBody: ReadBody): Promise<Answer> {
    const mine = this.#options.hooks.filter((hook) => hook.listener === listener);
    const sought = await findRun(request, mine, this.#options.runs).catch((error: unknown) => this.#failed(error));
    if (sought !== undefined) return sought;
    const hook = mine.find(({ path }) => path === request.path) ?? mine.find(({ path }) => path === "*");
    if (hook === undefined) return ANSWERS.notFound;
    const started = { time: new Date().toISOString(), at: performance.now() };
    const handling = this.#handle(hook, request, readBody).catch((error: unknown): Handled => {
      return { answer: this.#failed(error), problem: problemOf(error) };
    });
    this.#handling.add(handling);
    const handled = await handling;
    this.#handling.delete(handling);
    this.#record(hook, request, started, handled);
    return handled.answer;
  }

  /** Lets running scripts end for so long, then cuts them. New and waiting requests are turned away. */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    for (const { slots } of this.#gates.values()) slots.close();
    const timer = setTimeout(() => this.#cut.abort(), drainMs);
    await Promise.all([Promise.allSettled(this.#handling), this.#asyncRuns.stop()]);
    clearTimeout(timer);
  }

  async #handle(hook: InboundHook, request: InboundRequest, readBody: ReadBody): Promise<Handled> {
    if (!hook.methods.includes(request.method)) return { answer: wrongMethod(hook.methods), toStranger: true };
    if (this.#stopping) return { answer: ANSWERS.stopping };
    const scheme = SCHEMES[hook.verify];
    // What the headers alone prove is checked before a stranger's body is read.
    if (scheme.headersOnly && this.#verify(hook, request, Buffer.alloc(0)) === null) return refuse(hook, request);
    const body = await readBody(hook.maxBody);
    if (body === "too_large") return { answer: ANSWERS.bodyTooLarge, toStranger: true };
    if (body === "incomplete") return { answer: ANSWERS.incomplete, toStranger: true };
    const proof = this.#verify(hook, request, body);
    if (proof === null) return refuse(hook, request);
    const seconds = this.#gates.get(hook.name)!.rate.take();
    if (seconds !== null) return { answer: laterAnswer(429, "too many requests", seconds) };
    const idHeaders = hook.dedupHeader === null ? scheme.idHeaders : [hook.dedupHeader];
    const id = dedupId(request, { idHeaders, signature: proof.signature });
    return this.#once(hook, id, () =>
      hook.answersFirst ? this.#submit(hook, request, body, id) : this.#runNow(hook, request, body, id),
    );
  }

  #verify(hook: InboundHook, request: InboundRequest, body: Buffer): Proof | null {
    const signed = { header: (name: string) => soleHeader(request, name), body };
    return SCHEMES[hook.verify].verify(signed, hook.secret, Date.now() / 1000);
  }

  /** Handles a request, unless one with its id has succeeded or is being handled. */
  async #once(hook: InboundHook, id: string | null, handle: () => Promise<Handled>): Promise<Handled> {
    if (id === null) return handle();
    const { inFlight } = this.#gates.get(hook.name)!;
    if (inFlight.has(id)) return { answer: ANSWERS.inFlight };
    inFlight.add(id);
    try {
      if (await this.#options.inbox.isRemembered(requestKey(hook.name, id))) return { answer: ANSWERS.duplicate };
      return await handle();
    } finally {
      inFlight.delete(id);
    }
  }

  /** Stores a run for later. */
  async #submit(hook: InboundHook, request: InboundRequest, body: Buffer, id: string | null): Promise<Handled> {
    const { session, runs } = this.#options;
    const key = hook.coalesce === null ? null : coalesceKey(hook.coalesce.key, request, body);
    const coalesce = key === null ? null : { key, windowMs: hook.coalesce!.windowMs };
    const variables = hookVariables(hook, request, session);
    const run = { session, hook: hook.name, variables, body, dedupId: id, coalesce };
    const added = await runs.add(
      run,
      hook.queue + Math.max(0, hook.concurrency - this.#gates.get(hook.name)!.slots.running),
    );
    if (added.kind === "in_flight") return { answer: ANSWERS.inFlight };
    if (added.kind === "full") return { answer: ANSWERS.queueFull };
    this.#asyncRuns.wake(hook);
    return { answer: jsonAnswer(202, { run_id: added.id }), runId: added.id };
  }

  async #runNow(hook: InboundHook, request: InboundRequest, body: Buffer, id: string | null): Promise<Handled> {
    const { slots } = this.#gates.get(hook.name)!;
    const entering = slots.enter();
    if (entering === undefined) return { answer: ANSWERS.queueFull };
    if (!(await entering)) return { answer: ANSWERS.stopping };
    try {
      const variables = hookVariables(hook, request, this.#options.session);
      const end = await this.#options.run({ hook, variables, body, signal: this.#cut.signal });
      return { end, ...(await this.#answerFor(hook, outcomeOf(end, hook), id)) };
    } finally {
      slots.leave();
    }
  }

  async #answerFor(hook: InboundHook, outcome: Outcome, id: string | null): Promise<Omit<Handled, "end">> {
    switch (outcome.kind) {
      case "cut":
        return { answer: ANSWERS.stopping, problem: "the script was ended because the session stops" };
      case "failed":
        return { answer: outcome.answer, problem: outcome.problem };
      case "blank":
        await this.#remember(hook, id);
        return { answer: ANSWERS.nothing };
      default:
    }
    if (!hook.scriptAnswers) return this.#inject(hook, outcome.text, ANSWERS.ok, id);
    const shaped = readScriptAnswer(outcome.output);
    if ("problem" in shaped) return { answer: ANSWERS.failed, problem: `its answer cannot be sent: ${shaped.problem}` };
    if (shaped.inject !== null) return this.#inject(hook, shaped.inject, shaped.answer, id);
    // A sender that is told of an error sends the request again.
    if (shaped.answer.status < 400) await this.#remember(hook, id);
    return { answer: shaped.answer };
  }

  async #inject(hook: InboundHook, text: string, answer: Answer, id: string | null): Promise<Handled> {
    const dedup = id === null ? [] : [requestKey(hook.name, id)];
    const { inbox, session, onStored } = this.#options;
    const kind = await deliver(inbox, { session, hook: hook.name, text, dedup });
    if (kind === "full") return { answer: ANSWERS.inboxFull, problem: "the inbox is full" };
    if (kind === "duplicate") return { answer: ANSWERS.duplicate };
    onStored?.();
    return { answer };
  }

  async #remember(hook: InboundHook, id: string | null): Promise<void> {
    if (id !== null) await this.#options.inbox.remember([requestKey(hook.name, id)]);
  }

  #failed(error: unknown): Answer {
    this.#options.log.error(`inbound webhooks: ${problemOf(error)}`);
    return ANSWERS.failed;
  }

  #record(hook: InboundHook, request: InboundRequest, started: { time: string; at: number }, handled: Handled): void {
    const { answer, end, problem, runId, toStranger = false } = handled;
    const left = toStranger ? this.#countStranger(hook) : "";
    if (left === null) return;
    const said = end === undefined || problem === undefined ? null : errorTail(end);
    const detail = [problem, said, left].filter(Boolean).join("; ") || null;
    if (detail !== null) this.#options.log.warn(`inbound webhook "${hook.name}": ${detail}`);
    this.#options.record({
      time: started.time,
      hook: hook.name,
      session: this.#options.session,
      method: request.method,
      path: request.path,
      status: answer.status,
      exit_code: end?.kind === "ran" ? end.result.exit_code : null,
      duration_ms: Math.round(performance.now() - started.at),
      run_id: runId ?? null,
      detail,
    });
  }
  /** Null when an answer to a stranger is left out of the log; else what to say about those that were. */
  #countStranger({ name }: InboundHook): string | null {
    const gate = this.#gates.get(name)!;
    if (!gate.strangers.isDue()) {
      gate.unlogged++;
      return null;
    }
    const left = gate.unlogged;
    gate.unlogged = 0;
    return left === 0 ? "" : `${left} more refused since the last such line`;
  }
}

function refuse({ verify }: InboundHook, request: InboundRequest): Handled {
  const { unverified } = ANSWERS;
  const asks = { ...unverified, headers: { ...unverified.headers, "www-authenticate": "Bearer" } };
  const problem = whyUnverified(verify, { header: (name) => soleHeader(request, name) });
  return { answer: verify === "bearer" ? asks : unverified, problem, toStranger: true };
}
