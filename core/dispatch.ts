/** The only loop that runs hooks. Everything else about them is data of the {@link Hook} and of the event table. */
import { availableParallelism } from "node:os";
import { PASS, type AskDecision, type Decision } from "./answers.ts";
import { attempt, attemptQuietly, type Attempt } from "./attempt.ts";
import { monotonic } from "./clock.ts";
import type { EventKind } from "./event-declaration.ts";
import { declarationOf, EVENT_NAMES, eventsWhere, type EventName, type Payload } from "./events.ts";
import { createFiring, frozenCopy } from "./firing.ts";
import { DEFAULT_HOOK_LIMITS, limitDecision, type HookLimits } from "./hook-limits.ts";
import { createLimiter } from "./limiter.ts";
import type { Firing, FiringOrigin, Hook, HookRun, RunSink } from "./ports/hook.ts";
import { makeRun, RunSinks, type RunReport } from "./runs.ts";
import { PASSED, verdictOf } from "./verdict.ts";

export interface Invocation {
  /** Aborts the hooks; a hook that does not end then is no longer awaited. */
  readonly signal?: AbortSignal;
  /** Takes the records of this firing's runs, in addition to the dispatcher's own sinks. */
  readonly onRun?: RunSink | undefined;
  readonly origin?: FiringOrigin | undefined;
}

/**
 * Takes a payload, which it must neither keep nor change. What it returns watches the firing. Must not throw, and
 * neither must that.
 */
export type EventListener<Given = object> = (payload: Given, origin?: FiringOrigin) => FiringWatch | void;

/** Learns what comes of one firing. */
export interface FiringWatch {
  /** Takes the record of each of its runs; of a hook in the background, maybe after the end. */
  readonly run: (run: HookRun, hook: Pick<Hook, "background">) => void;
  /** Takes what the hooks decided together, also when there are none. */
  readonly end: (decision: Decision) => void;
}

/** A decision about a call that a later hook may add to. */
type CallDecision = Extract<Decision, { kind: "modify" | "ask" }>;
type MaybePromise<Value> = Value | Promise<Value>;
const NEVER = new AbortController().signal;
const HOLD_ANSWER = eventsWhere(({ holdsAnswer }) => holdsAnswer);

/** The state of one firing in the loop. */
interface Dispatch {
  readonly kind: EventKind;
  readonly hooks: readonly Hook[];
  readonly signal: AbortSignal;
  readonly onRun: RunSink | undefined;
  /** Of the listeners; mostly none. */
  readonly watches: readonly FiringWatch[] | undefined;
  firing: Firing;
  next: number;
  /** The end of the last run and so the start of the next one, as of `performance.now()`. */
  now: number;
  decision: Decision;
  pending: Promise<unknown>[] | undefined;
}

/** Registers the hooks of one host and fires events. */
export class HookDispatcher {
  readonly sinks = new RunSinks();
  /** Called when a hook was registered or removed. */
  onChange: () => void = () => undefined;
  /** How much a hook may add; asked for at each run, because a reload may change it. */
  limits: () => HookLimits = () => DEFAULT_HOOK_LIMITS;
  readonly #hooks = new Map<EventName, readonly Hook[]>();
  readonly #listeners = new Map<EventName, readonly EventListener[]>();
  readonly #sideBySide = createLimiter(availableParallelism());
  readonly #background = createLimiter(availableParallelism());

  /** Adds a hook: in-process hooks before shell hooks, else in order of registration. Returns its undo. */
  register(hook: Hook): () => void {
    const others = this.#hooks.get(hook.event) ?? [];
    const place = hook.source === "shell" ? others.length : others.filter(({ source }) => source !== "shell").length;
    this.#hooks.set(hook.event, others.toSpliced(place, 0, hook));
    this.onChange();
    return () => {
      this.#hooks.set(
        hook.event,
        this.hooksOf(hook.event).filter((other) => other !== hook),
      );
      this.onChange();
    };
  }

  /** Calls a listener with the payload of each firing of an event, before its hooks run. Returns its undo. */
  listen<Name extends EventName>(event: Name, listener: EventListener<Payload<Name>>): () => void {
    const own = listener as EventListener;
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), own]);
    return () => {
      const others = (this.#listeners.get(event) ?? []).filter((one) => one !== own);
      if (others.length > 0) this.#listeners.set(event, others);
      else this.#listeners.delete(event);
    };
  }

  hooksOf(event: EventName): readonly Hook[] {
    return this.#hooks.get(event) ?? [];
  }

  /** All hooks, by event in the order of the table, then in the order in which they run. */
  hooks(): readonly Hook[] {
    return EVENT_NAMES.flatMap((event) => this.hooksOf(event));
  }

  /** True while no hook may change an answer, so that surfaces may show it while it is streamed. */
  mayStream(): boolean {
    return HOLD_ANSWER.every((event) => this.hooksOf(event).length === 0);
  }

  /** Waits for observers that no firing waited for. */
  drain(): Promise<void> {
    return this.#background.idle();
  }

  /**
   * Fires an event (seed 003, "Ordering and precedence"). `payload` may be a function, only called when there
   * are hooks; the firing owns the payload and freezes it when a callback gets it. Returns the combined decision of the
   * hooks: `pass`, or what the event's kind allows. `modify` has the complete merged arguments, `ask` too
   * where a hook changed them, `context` the joined text. Never throws or rejects; no promise is created until a hook returns one.
   */
  invoke_hook<Name extends EventName>(
    event: Name,
    payload: Payload<Name> | (() => Payload<Name>),
    invocation?: Invocation,
  ): MaybePromise<Decision> {
    const hooks = this.#hooks.get(event);
    const listeners = this.#listeners.size === 0 ? undefined : this.#listeners.get(event);
    if (listeners === undefined && (hooks === undefined || hooks.length === 0)) return PASS;
    const given = typeof payload === "function" ? payload() : payload;
    const watches = listeners === undefined ? undefined : tell(listeners, given, invocation?.origin);
    if (hooks === undefined || hooks.length === 0) return endOf(PASS, watches);
    const decision = this.#walk({
      kind: declarationOf(event).kind,
      hooks,
      signal: invocation?.signal ?? NEVER,
      onRun: invocation?.onRun,
      watches,
      firing: createFiring(event, given, invocation?.origin),
      next: 0,
      now: monotonic.now(),
      decision: PASS,
      pending: undefined,
    });
    return watches === undefined ? decision : ended(decision, watches);
  }

  /** Runs the remaining hooks of a firing; continues in a `then` after a hook that returned a promise. */
  #walk(passage: Dispatch): MaybePromise<Decision> {
    while (passage.next < passage.hooks.length) {
      const hook = passage.hooks[passage.next++]!;
      if (!applies(hook, passage.firing)) continue;
      if (passage.kind === "observe" && (hook.background || hook.sideBySide)) {
        this.#runBeside(passage, hook);
        continue;
      }
      const attempted = attemptQuietly(hook, passage.firing, passage.signal, passage.now);
      if (typeof attempted === "number") {
        const times = { started: passage.now, ended: attempted };
        passage.now = attempted;
        this.#record(passage, hook, { firing: passage.firing, attempt: times, verdict: PASSED, exit_code: null });
        continue;
      }
      if (attempted instanceof Promise) {
        return attempted.then((settled) =>
          this.#settle(passage, hook, settled) ? passage.decision : this.#walk(passage),
        );
      }
      if (this.#settle(passage, hook, attempted)) break;
    }
    return passage.pending === undefined ? passage.decision : Promise.all(passage.pending).then(() => passage.decision);
  }

  /** Starts an observer in parallel: the firing waits for it at its end, or not at all. */
  #runBeside(passage: Dispatch, hook: Hook): void {
    const limiter = hook.background ? this.#background : this.#sideBySide;
    const run = limiter.run(async () => {
      this.#settle(passage, hook, await attempt(hook, passage.firing, passage.signal, monotonic.now()));
    });
    if (!hook.background) (passage.pending ??= []).push(run);
  }

  /** Records one run and merges its decision into the firing's. True when the firing is decided. */
  #settle(passage: Dispatch, hook: Hook, attempted: Attempt): boolean {
    const { firing } = passage;
    passage.now = attempted.ended;
    const verdict = verdictOf(hook, firing, attempted);
    this.#record(passage, hook, { firing, attempt: attempted, verdict, exit_code: attempted.reply?.exit_code ?? null });
    const { decision } = verdict;
    return decision.kind !== "pass" && fold(passage, hook, limitDecision(decision, this.limits()));
  }

  #record(passage: Dispatch, hook: Hook, report: RunReport): void {
    const run = makeRun(hook, report);
    this.sinks.record(run, hook);
    passage.onRun?.(run, hook);
    if (passage.watches !== undefined) for (const watch of passage.watches) watch.run(run, hook);
  }
}

/** Passes a payload on; the watches that the listeners want, undefined for none. */
function tell(
  listeners: readonly EventListener[],
  payload: object,
  origin: FiringOrigin | undefined,
): readonly FiringWatch[] | undefined {
  let watches: FiringWatch[] | undefined;
  for (const listener of listeners) {
    const watch = listener(payload, origin);
    if (watch !== undefined) (watches ??= []).push(watch);
  }
  return watches;
}

function ended(decision: MaybePromise<Decision>, watches: readonly FiringWatch[]): MaybePromise<Decision> {
  return decision instanceof Promise ? decision.then((made) => endOf(made, watches)) : endOf(decision, watches);
}

function endOf(decision: Decision, watches: readonly FiringWatch[] | undefined): Decision {
  if (watches !== undefined) for (const watch of watches) watch.end(decision);
  return decision;
}

function applies(hook: Hook, firing: Firing): boolean {
  try {
    return hook.matches(firing);
  } catch {
    // A guard whose matcher fails must still run.
    return true;
  }
}

/** Merges one more decision into the previous ones. True when no later hook can change the result. */
function fold(passage: Dispatch, hook: Hook, decision: Decision): boolean {
  if (decision.kind === "pass" || passage.kind === "observe") return false;
  if (decision.kind === "modify" || decision.kind === "ask") {
    passage.decision = joinCalls(passage, hook, decision);
    return false;
  }
  if (decision.kind === "context" && passage.decision.kind === "context") {
    passage.decision = { kind: "context", text: `${passage.decision.text}\n\n${decision.text}` };
    return false;
  }
  passage.decision = decision;
  return decision.kind !== "context";
}

/** Arguments are merged and reasons collected, so that the user is asked once, about the call as it would run. */
function joinCalls(passage: Dispatch, hook: Hook, decision: CallDecision): CallDecision {
  const { event, origin } = passage.firing;
  const { name, command } = hook;
  const before = passage.decision as Partial<AskDecision>;
  let { args } = before;
  if (decision.args !== undefined) {
    const payload = passage.firing.payload as { readonly args?: object };
    // The hook may still hold its answer. Copy it, so that it cannot change while the next hook runs.
    args = frozenCopy({ ...payload.args, ...decision.args });
    passage.firing = createFiring(event, { ...payload, args } as unknown as Payload<EventName>, origin);
  }
  const asked =
    decision.kind === "ask" ? decision.reasons.map((reason) => ({ ...reason, hook: { name, command } })) : [];
  const reasons = [...(before.reasons ?? []), ...asked];
  if (reasons.length === 0) return { kind: "modify", args: args ?? {} };
  return { kind: "ask", reasons, ...(args === undefined ? {} : { args }) };
}
