/**
 * The events of one gateway hook on their way to its handler: in order, one at a time, bounded. Publishing is no more
 * than taking a copy and putting it in the queue; whoever publishes never waits for a handler, unless it asks for a
 * decision, and then no longer than the hook's deadline.
 */
import { wallClockAt } from "#core/clock";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import type { HookIdentity, RunSink } from "#core/ports";
import type { EventContext } from "#core/registry";
import type { HookOutcome } from "#core/runs";
import { stringify } from "#sandbox/shell/payload";
import { asksForDecision, judgeAnswer } from "./decision.ts";
import type { Handler, HookFolder } from "./tier.ts";

/** A hook and one of its events, as people see them. */
export interface QueueIdentity extends HookIdentity {
  dropped: number;
}

/** An event as it was when it was emitted. */
export interface CapturedEvent {
  readonly event: string;
  /** JSON. */
  readonly context: string;
  readonly session: string;
  readonly identity: QueueIdentity;
  /** Gives the publisher its answer; null where nobody waits for one. */
  readonly decide: ((decision: unknown) => void) | null;
  /** True once the publisher waits no longer. */
  isLate: boolean;
}

export interface QueueOptions {
  readonly hook: HookFolder;
  /** The handler; asked for at the first event and, when that failed, at the next. */
  readonly open: () => Promise<Handler>;
  readonly record: RunSink;
  /** Told of every event that was dropped. */
  readonly onDrop: (identity: QueueIdentity) => void;
  /** What runs before the first event of this queue: the last of the version that it replaces. */
  readonly after?: Promise<readonly CapturedEvent[]>;
}

/** How many events wait at most, and how many characters they may have together. The oldest go first. */
const MOST_WAITING = 1024;
const MOST_CHARACTERS = 32 * 1024 * 1024;

export class HookQueue {
  readonly #options: QueueOptions;
  #waiting: CapturedEvent[] = [];
  #characters = 0;
  #working = false;
  #retired = false;
  #opened: Promise<Handler> | undefined;
  #idlers: (() => void)[] = [];

  constructor(options: QueueOptions) {
    this.#options = options;
    if (options.after === undefined) return;
    this.#working = true;
    void options.after.then((inherited) => {
      this.#waiting = [...inherited, ...this.#waiting];
      for (const { context } of inherited) this.#characters += context.length;
      this.#trim();
      return this.#work();
    });
  }

  /** Takes an event as it is now. Gives a promise, which never rejects, for events that ask for a decision. */
  publish(identity: QueueIdentity, event: string, context: EventContext): Promise<unknown> | undefined {
    if (!asksForDecision(event)) {
      this.#push({ event, ...capture(context), identity, decide: null, isLate: false });
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const captured: CapturedEvent = { event, ...capture(context), identity, decide, isLate: false };
    const timer = setTimeout(() => {
      captured.isLate = true;
      resolve(null);
    }, this.#options.hook.timeoutSeconds * 1000);
    function decide(decision: unknown): void {
      clearTimeout(timer);
      resolve(decision);
    }
    this.#push(captured);
    return promise;
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    if (this.#working) await new Promise<void>((wake) => this.#idlers.push(wake));
  }

  /**
   * Lets what waits be worked off for `withinMs` at most, then closes the handler, once the event that runs has ended.
   * Gives what waits still.
   */
  async retire(withinMs: number): Promise<readonly CapturedEvent[]> {
    const timer = setTimeout(() => (this.#retired = true), withinMs);
    await this.idle();
    clearTimeout(timer);
    this.#retired = true;
    await this.#close();
    return this.#take();
  }

  /** Ends what runs and forgets what waits; whoever waits for a decision gets none. */
  async close(): Promise<void> {
    this.#retired = true;
    for (const { decide } of this.#take()) decide?.(null);
    await this.#close();
    await this.idle();
  }

  async #close(): Promise<void> {
    // A handler that could not be opened is no handler that must be closed.
    const handler = await this.#opened?.catch(() => undefined);
    await handler?.close();
  }

  #take(): readonly CapturedEvent[] {
    const taken = this.#waiting;
    this.#waiting = [];
    this.#characters = 0;
    return taken;
  }

  #push(captured: CapturedEvent): void {
    this.#waiting.push(captured);
    this.#characters += captured.context.length;
    if (this.#waiting.length > MOST_WAITING || this.#characters > MOST_CHARACTERS) this.#trim();
    if (this.#working) return;
    this.#working = true;
    // After the publisher, which is spared even the sending; a decision is waited for.
    if (captured.decide === null) setImmediate(() => void this.#work());
    else void this.#work();
  }

  #trim(): void {
    while (this.#waiting.length > 1 && (this.#waiting.length > MOST_WAITING || this.#characters > MOST_CHARACTERS)) {
      const { context, identity, decide } = this.#waiting.shift()!;
      this.#characters -= context.length;
      identity.dropped++;
      decide?.(null);
      this.#options.onDrop(identity);
    }
  }

  async #work(): Promise<void> {
    for (;;) {
      const captured = this.#retired ? undefined : this.#waiting.shift();
      if (captured === undefined) break;
      this.#characters -= captured.context.length;
      await this.#run(captured);
    }
    this.#working = false;
    for (const wake of this.#idlers.splice(0)) wake();
  }

  async #run(captured: CapturedEvent): Promise<void> {
    const started = performance.now();
    try {
      const handler = await this.#handler();
      const answer = await (handler.runText?.(captured.event, captured.context) ??
        handler.run(captured.event, JSON.parse(captured.context) as EventContext));
      this.#ended(captured, started, answer);
    } catch (error) {
      this.#failed(captured, started, error);
    }
  }

  #handler(): Promise<Handler> {
    this.#opened ??= this.#options.open().catch((error: unknown) => {
      // Its tier could not be made: perhaps it can at the next event.
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  #ended(captured: CapturedEvent, started: number, answer: unknown): void {
    const { event, decide, isLate } = captured;
    const { name, timeoutSeconds } = this.#options.hook;
    const judged = judgeAnswer(event, answer);
    decide?.(judged.decision);
    if (isLate && judged.decision !== null) {
      const late = `gateway hook "${name}" decided about ${event} later than ${timeoutSeconds} s after it came; the decision does not count.`;
      return this.#record(captured, started, "timeout", late);
    }
    const detail =
      judged.outcome === "error"
        ? new HermesError("HERMES_HANDLER_FAILED", { name, event, problem: `it answered ${judged.detail}` }).message
        : judged.detail;
    this.#record(captured, started, judged.outcome, detail);
  }

  #failed(captured: CapturedEvent, started: number, error: unknown): void {
    captured.decide?.(null);
    const timedOut = isHermesError(error) && error.code === "HERMES_HANDLER_TIMEOUT";
    this.#record(captured, started, timedOut ? "timeout" : "error", problemOf(error));
  }

  #record({ event, session, identity }: CapturedEvent, started: number, outcome: HookOutcome, detail: string | null) {
    const { source, name } = identity;
    this.#options.record(
      {
        at: wallClockAt(started),
        event,
        source,
        name,
        command: null,
        outcome,
        cause: null,
        duration_ms: performance.now() - started,
        exit_code: null,
        session_id: session,
        detail,
      },
      identity,
    );
  }
}

/** A copy that nobody changes, in the form in which it travels. */
function capture(context: EventContext): Pick<CapturedEvent, "context" | "session"> {
  try {
    const { session_id: session } = context;
    return { context: JSON.stringify(context) ?? "{}", session: typeof session === "string" ? session : "" };
  } catch {
    // A cycle, a BigInt or a getter that throws: words stand in their places.
    return { context: stringify(context), session: "" };
  }
}
