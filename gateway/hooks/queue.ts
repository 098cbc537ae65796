/**
 * The queue of events of one gateway hook: in order, one at a time, limited in size. Publishing only copies the event
 * into the queue. A publisher never waits for a handler unless it needs a decision, and then at most until the hook's
 * deadline.
 */
import { commandVerdict, isCommandEvent, readDecision, type CommandDecision } from "#core/command-events";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import type { HookIdentity, RunSink, HookOutcome } from "#core/ports/hook";
import type { EventContext, OnRun } from "#core/registry";
import { makeRun } from "#core/runs";
import { stringify } from "#core/stringify";
import { Deadlines } from "#core/deadlines";
import type { Handler, HandlerReport, GatewayHook } from "#core/ports/tier";

/** A hook and one of its events, for display. */
export interface QueueIdentity extends HookIdentity {
  dropped: number;
}

/** A copy of an event at the time it was emitted. */
export interface CapturedEvent {
  readonly event: string;
  /** JSON. */
  readonly context: string;
  readonly session: string;
  readonly identity: QueueIdentity;
  /** Passes the publisher its answer, once; null when nobody waits for one. */
  readonly decide: ((decision: unknown) => void) | null;
  /** Takes its run once it has ended; absent when nobody follows the emission. */
  readonly onRun: OnRun | undefined;
  /** True once the publisher no longer waits. */
  isLate: boolean;
}

export interface QueueOptions {
  readonly hook: GatewayHook;
  /** Opens the handler; called at the first event, and again at the next one after a failure. */
  readonly open: (loads: Required<Pick<HandlerReport, "onLoading" | "onLoaded">>) => Promise<Handler>;
  readonly record: RunSink;
  /** Called for every dropped event. */
  readonly onDrop: (identity: QueueIdentity) => void;
  /** The last events of the version that it replaces, which run before this queue's first event. */
  readonly after?: Promise<readonly CapturedEvent[]>;
}

/** The maximum number of waiting events and of their total characters. The oldest are dropped first. */
const MOST_WAITING = 1024;
const MOST_CHARACTERS = 32 * 1024 * 1024;

export class HookQueue {
  readonly #options: QueueOptions;
  /** The deadlines of pending decisions. */
  readonly #deadlines: Deadlines<CapturedEvent>;
  #waiting: CapturedEvent[] = [];
  #characters = 0;
  #working = false;
  #retired = false;
  /** Undefined until the first event, and while its tier cannot be created. */
  #handler: Handler | undefined;
  #opening: Promise<Handler> | undefined;
  /** While the handler is being loaded, no decision is late. */
  #isLoading = false;
  #current: CapturedEvent | undefined;
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
      // Pending decisions keep their deadlines.
      for (const { context } of inherited) this.#characters += context.length;
      this.#trim();
      this.#advance();
    });
  }

  /** Takes a copy of an event. Returns a promise, which never rejects, for events that need a decision. */
  publish(identity: QueueIdentity, event: string, context: EventContext, onRun?: OnRun): Promise<unknown> | undefined {
    const known = { event, ...capture(context), identity, onRun };
    if (!isCommandEvent(event)) {
      this.#push({ ...known, decide: null, isLate: false });
      return undefined;
    }
    const { promise, resolve: decide } = Promise.withResolvers<unknown>();
    const captured: CapturedEvent = { ...known, decide, isLate: false };
    if (!this.#isLoading) this.#deadlines.add(captured);
    this.#push(captured);
    return promise;
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    if (this.#working) await new Promise<void>((wake) => this.#idlers.push(wake));
  }

  /**
   * Handles waiting events for at most `withinMs`, then closes the handler once the running event has ended. Returns the
   * remaining events.
   */
  async retire(withinMs: number): Promise<readonly CapturedEvent[]> {
    const timer = setTimeout(() => (this.#retired = true), withinMs);
    await this.idle();
    clearTimeout(timer);
    this.#retired = true;
    await this.#close();
    return this.#take();
  }

  /** Stops the running event and drops waiting ones; pending decisions resolve without one. */
  async close(): Promise<void> {
    this.#retired = true;
    this.#take().forEach(dismiss);
    this.#deadlines.clear();
    await this.#close();
    await this.idle();
  }

  async #close(): Promise<void> {
    // A handler that cannot be opened need not be closed.
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
    // After the publisher has returned, unless it waits for a decision.
    if (captured.decide === null) setImmediate(() => this.#advance());
    else this.#advance();
  }

  #trim(): void {
    while (this.#waiting.length > 1 && (this.#waiting.length > MOST_WAITING || this.#characters > MOST_CHARACTERS)) {
      const captured = this.#waiting.shift()!;
      const { context, identity } = captured;
      this.#characters -= context.length;
      identity.dropped++;
      this.#deadlines.delete(captured);
      dismiss(captured);
      this.#options.onDrop(identity);
    }
  }

  /** Passes on the next event. Uses callbacks, because each async function delays the answer. */
  #advance(): void {
    const captured = this.#retired ? undefined : this.#waiting.shift();
    if (captured === undefined) {
      this.#working = false;
      for (const wake of this.#idlers.splice(0)) wake();
      return;
    }
    this.#characters -= captured.context.length;
    this.#current = captured;
    const started = performance.now();
    run(this.#handler ?? this.#openHandler(), captured).then(
      (answer) => this.#ended(captured, started, answer),
      (error: unknown) => this.#failed(captured, started, error),
    );
  }

  /** Rejects when its tier cannot be created; the next event tries again. */
  async #openHandler(): Promise<Handler> {
    const loads = { onLoading: () => this.#onLoading(), onLoaded: () => this.#onLoaded() };
    this.#onLoading();
    try {
      return (this.#handler = await (this.#opening = this.#options.open(loads)));
    } finally {
      this.#opening = undefined;
      this.#onLoaded();
    }
  }

  #onLoading(): void {
    this.#isLoading = true;
    this.#deadlines.clear();
  }

  /** The time of decisions that wait starts again. */
  #onLoaded(): void {
    if (!this.#isLoading) return;
    this.#isLoading = false;
    for (const captured of [...(this.#current === undefined ? [] : [this.#current]), ...this.#waiting])
      if (captured.decide !== null && !captured.isLate) this.#deadlines.add(captured);
  }

  #ended(captured: CapturedEvent, started: number, answer: unknown): void {
    this.#current = undefined;
    this.#onLoaded();
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
      const late = `gateway hook "${name}" decided about ${event} more than ${timeoutSeconds} s after it arrived, so the decision was ignored.`;
      return this.#finish(captured, started, "timeout", late);
    }
    const detail = decision.kind === "denied" ? decision.message : null;
    this.#finish(captured, started, commandVerdict(decision).kind, detail);
  }

  #failed(captured: CapturedEvent, started: number, error: unknown): void {
    this.#current = undefined;
    this.#onLoaded();
    this.#decide(captured, null);
    const timedOut = isHermesError(error) && error.code === "HERMES_HANDLER_TIMEOUT";
    this.#finish(captured, started, timedOut ? "timeout" : "error", problemOf(error));
  }

  #decide(captured: CapturedEvent, decision: unknown): void {
    if (captured.decide === null) return;
    this.#deadlines.delete(captured);
    captured.decide(decision);
  }

  /** Continues with the next event, then records this run. */
  #finish(captured: CapturedEvent, started: number, outcome: HookOutcome, detail: string | null) {
    const { event, session, identity, onRun } = captured;
    const record = makeRun(identity, {
      firing: { event, session_id: session, tool_name: null, tool_call_id: null },
      attempt: { started, ended: performance.now() },
      verdict: { outcome, cause: null, detail },
      exit_code: null,
    });
    this.#advance();
    this.#options.record(record, identity);
    onRun?.(record);
  }
}

/** Ends an event that no version will handle. */
export function dismiss({ decide, onRun }: CapturedEvent): void {
  decide?.(null);
  onRun?.(null);
}

/** Never throws. */
function run(handler: Handler | Promise<Handler>, captured: CapturedEvent): Promise<unknown> {
  if ("then" in handler) return handler.then((opened) => run(opened, captured));
  const { event, context } = captured;
  return handler.runText?.(event, context) ?? handler.run(event, JSON.parse(context) as EventContext);
}

/** An immutable copy, as the JSON to send. */
function capture(context: EventContext): Pick<CapturedEvent, "context" | "session"> {
  try {
    const { session_id: session } = context;
    return { context: JSON.stringify(context) ?? "{}", session: typeof session === "string" ? session : "" };
  } catch {
    // A cycle, a BigInt or a throwing getter is replaced with a note.
    return { context: stringify(context), session: "" };
  }
}
