/**
 * The events of one gateway hook on their way to its handler: in order, one at a time, bounded. Publishing is no more
 * than taking a copy and putting it in the queue; whoever publishes never waits for a handler, unless it asks for a
 * decision, and then no longer than the hook's deadline.
 */
import { isCommandEvent, readDecision, type CommandDecision } from "#core/command-events";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import type { HookIdentity, RunSink, HookOutcome } from "#core/ports/hook";
import type { EventContext } from "#core/registry";
import { makeRun } from "#core/runs";
import { stringify } from "#core/stringify";
import { Deadlines } from "#core/deadlines";
import type { Handler, GatewayHook } from "#core/ports/tier";

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
  /** Gives the publisher its answer, the first time; null where nobody waits for one. */
  readonly decide: ((decision: unknown) => void) | null;
  /** True once the publisher waits no longer. */
  isLate: boolean;
}

export interface QueueOptions {
  readonly hook: GatewayHook;
  /** The handler; asked for at the first event and, when that failed, at the next. */
  readonly open: () => Promise<Handler>;
  readonly record: RunSink;
  /** Told of every event that was dropped. */
  readonly onDrop: (identity: QueueIdentity) => void;
  /** What runs before the first event of this queue: the last of the version that it replaces. */
  readonly after?: Promise<readonly CapturedEvent[]>;
}

const OUTCOMES = { denied: "block", handled: "skip", run: "rewrite" } as const satisfies Record<
  CommandDecision["kind"],
  HookOutcome
>;

/** How many events wait at most, and how many characters they may have together. The oldest go first. */
const MOST_WAITING = 1024;
const MOST_CHARACTERS = 32 * 1024 * 1024;

export class HookQueue {
  readonly #options: QueueOptions;
  /** Of the decisions that are waited for. */
  readonly #deadlines: Deadlines<CapturedEvent>;
  #waiting: CapturedEvent[] = [];
  #characters = 0;
  #working = false;
  #retired = false;
  /** Undefined until the first event, and while its tier cannot be made. */
  #handler: Handler | undefined;
  #opening: Promise<Handler> | undefined;
  #idlers: (() => void)[] = [];

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.hook.timeoutSeconds * 1000, (captured) => {
      captured.isLate = true;
      captured.decide?.(null);
    });
    if (options.after === undefined) return;
    this.#working = true;
    void options.after.then((inherited) => {
      this.#waiting = [...inherited, ...this.#waiting];
      // Decisions among them are still due when they were.
      for (const { context } of inherited) this.#characters += context.length;
      this.#trim();
      this.#advance();
    });
  }

  /** Takes an event as it is now. Gives a promise, which never rejects, for events that ask for a decision. */
  publish(identity: QueueIdentity, event: string, context: EventContext): Promise<unknown> | undefined {
    if (!isCommandEvent(event)) {
      this.#push({ event, ...capture(context), identity, decide: null, isLate: false });
      return undefined;
    }
    const { promise, resolve: decide } = Promise.withResolvers<unknown>();
    const captured: CapturedEvent = { event, ...capture(context), identity, decide, isLate: false };
    this.#deadlines.add(captured);
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
    this.#deadlines.clear();
    await this.#close();
    await this.idle();
  }

  async #close(): Promise<void> {
    // A handler that cannot be opened is none that must be closed.
    const handler = this.#handler ?? (await this.#opening?.catch(() => undefined));
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
    if (captured.decide === null) setImmediate(() => this.#advance());
    else this.#advance();
  }

  #trim(): void {
    while (this.#waiting.length > 1 && (this.#waiting.length > MOST_WAITING || this.#characters > MOST_CHARACTERS)) {
      const captured = this.#waiting.shift()!;
      const { context, identity } = captured;
      this.#characters -= context.length;
      identity.dropped++;
      this.#decide(captured, null);
      this.#options.onDrop(identity);
    }
  }

  /** Hands over the next event. Callbacks instead of async functions: each frame of those delays the answer. */
  #advance(): void {
    const captured = this.#retired ? undefined : this.#waiting.shift();
    if (captured === undefined) {
      this.#working = false;
      for (const wake of this.#idlers.splice(0)) wake();
      return;
    }
    this.#characters -= captured.context.length;
    const started = performance.now();
    run(this.#handler ?? this.#openHandler(), captured).then(
      (answer) => this.#ended(captured, started, answer),
      (error: unknown) => this.#failed(captured, started, error),
    );
  }

  /** Rejects when its tier cannot be made; the next event tries again. */
  async #openHandler(): Promise<Handler> {
    try {
      return (this.#handler = await (this.#opening = this.#options.open()));
    } finally {
      this.#opening = undefined;
    }
  }

  #ended(captured: CapturedEvent, started: number, answer: unknown): void {
    const { event, isLate } = captured;
    const { name, timeoutSeconds } = this.#options.hook;
    let decision: CommandDecision | null;
    try {
      decision = isCommandEvent(event) ? readDecision(answer) : null;
    } catch (error) {
      const fields = { name, event, problem: problemOf(error) };
      return this.#failed(captured, started, new HermesError("HERMES_HANDLER_FAILED", fields));
    }
    this.#decide(captured, decision === null ? null : answer);
    if (decision === null) return this.#finish(captured, started, "pass", null);
    if (isLate) {
      const late = `gateway hook "${name}" decided about ${event} later than ${timeoutSeconds} s after it came; the decision does not count.`;
      return this.#finish(captured, started, "timeout", late);
    }
    const detail = decision.kind === "denied" ? decision.message : null;
    this.#finish(captured, started, OUTCOMES[decision.kind], detail);
  }

  #failed(captured: CapturedEvent, started: number, error: unknown): void {
    this.#decide(captured, null);
    const timedOut = isHermesError(error) && error.code === "HERMES_HANDLER_TIMEOUT";
    this.#finish(captured, started, timedOut ? "timeout" : "error", problemOf(error));
  }

  #decide(captured: CapturedEvent, decision: unknown): void {
    if (captured.decide === null) return;
    this.#deadlines.delete(captured);
    captured.decide(decision);
  }

  /** Goes on to the next event, then records this run. */
  #finish({ event, session, identity }: CapturedEvent, started: number, outcome: HookOutcome, detail: string | null) {
    const record = makeRun(identity, {
      firing: { event, session_id: session },
      attempt: { started, ended: performance.now() },
      verdict: { outcome, cause: null, detail },
      exit_code: null,
    });
    this.#advance();
    this.#options.record(record, identity);
  }
}

/** Never throws. */
function run(handler: Handler | Promise<Handler>, captured: CapturedEvent): Promise<unknown> {
  if ("then" in handler) return handler.then((opened) => run(opened, captured));
  const { event, context } = captured;
  return handler.runText?.(event, context) ?? handler.run(event, JSON.parse(context) as EventContext);
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
