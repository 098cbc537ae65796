/**
 * Gateway events: an open set of `namespace:name`, with handlers that get `(event_type, context)` (seed 002).
 *
 * The handlers of an event are resolved once and cached as an immutable list: an emission runs the list it started
 * with, even if handlers register or unregister others meanwhile.
 */
import { BoundedMap } from "./bounded-map.ts";
import { EventHandlers, type EmissionFollower, type EmissionSteps } from "./emission.ts";
import { problemOf } from "./errors.ts";
import { wildcardOf } from "./gateway-event-names.ts";
import { listLoaded, type LoadedHook } from "./loaded-hooks.ts";
import type { HookRun, HookSource } from "./ports/hook.ts";
import { writeStderr } from "./stderr.ts";
import { isThenable } from "./thenable.ts";

export type EventContext = Record<string, unknown>;
/** `onRun` is only for a hook of the user's outside this process, and only while its emission is followed. */
export type EventHandler = (event_type: string, context: EventContext, onRun?: OnRun) => unknown;

/** Takes the record of the run that the emission caused, or null when there was none; must be called once. */
export type OnRun = (run: HookRun | null) => void;

/** Details of a handler, shown by `loaded_hooks` and in error messages. */
export interface RegisterOptions {
  /** The function's own name when absent. */
  readonly name?: string;
  readonly description?: string;
  /** The folder of a hook that has one. Registrations of one name and path are one hook with several events. */
  readonly path?: string;
  /** Set for a hook of the user's: who follows an emission gets its runs. */
  readonly source?: HookSource;
}

/** A registered handler. */
export interface Registration {
  readonly event: string;
  readonly handler: EventHandler;
  readonly name: string;
  /** Null for a handler that is no hook of the user's. */
  readonly source: HookSource | null;
  readonly description: string;
  /** Null for a handler that code registered. */
  readonly path: string | null;
  /** True for an async function, which can be skipped without starting it. */
  readonly isAsync: boolean;
  /** `told` once a warning said that it can no longer run. */
  readonly skipped: { told: boolean };
}

export type RegistryFollower = EmissionFollower<EventContext, Registration>;

/** Takes a message about a failed handler, with its name. */
export type RegistryReport = (sentence: string) => void;

/** Event names are an open set, so the cache is limited. */
const MOST_REMEMBERED = 1024;
const NOBODY: readonly Registration[] = [];
/** What `emit` returns when no handler was asynchronous, without creating a promise. */
const DONE = Promise.resolve();

const AsyncFunction = Object.getPrototypeOf(async () => undefined) as object;

/** True once the process is exiting: promises no longer continue. */
let ending = false;
process.prependOnceListener("exit", () => {
  ending = true;
});

export class HookRegistry {
  readonly #registrations = new Map<string, readonly Registration[]>();
  /** All handlers, in order of registration. */
  #order: readonly Registration[] = [];
  #followers: readonly RegistryFollower[] = [];
  readonly #resolved = new BoundedMap<string, EventHandlers<EventContext, Registration>>(MOST_REMEMBERED);
  readonly #report: RegistryReport;
  readonly #steps: EmissionSteps<EventContext, Registration> = {
    loop: (handlers, first, event, context) => this.#emitSyncFrom(handlers, first, event, context),
    answered: (registration, event, answer) => {
      if (isThenable(answer)) this.#leaveAlone(registration, event, answer);
    },
    failed: (registration, event, error) => this.#failed(registration, event, error),
  };

  /** `report` takes the failures of handlers; standard error when absent. */
  constructor(report: RegistryReport = (sentence) => writeStderr(`[hooks] ${sentence}\n`)) {
    this.#report = report;
  }

  /** The registered hooks, in order of registration. */
  get loaded_hooks(): readonly LoadedHook[] {
    return listLoaded(this.#order);
  }

  /**
   * Adds a handler for one event, or for every event of a namespace with `namespace:*`. Returns its undo, which may be
   * called more than once. Throws a TypeError for a handler that is not a function.
   */
  register(event: string, handler: EventHandler, options: RegisterOptions = {}): () => void {
    if (typeof handler !== "function") throw new TypeError(`the handler for ${event} is no function`);
    const registration: Registration = {
      event,
      handler,
      name: options.name ?? (handler.name || "<anonymous>"),
      description: options.description ?? "(registered programmatically)",
      path: options.path ?? null,
      source: options.source ?? null,
      isAsync: AsyncFunction.isPrototypeOf(handler),
      skipped: { told: false },
    };
    this.#registrations.set(event, [...(this.#registrations.get(event) ?? NOBODY), registration]);
    this.#order = [...this.#order, registration];
    this.#resolved.clear();
    return () => this.#unregister(registration);
  }

  /** Lets a follower see the emissions that it wants. Returns its undo. */
  follow(follower: RegistryFollower): () => void {
    this.#followers = [...this.#followers, follower];
    this.#resolved.clear();
    return () => {
      this.#followers = this.#followers.filter((other) => other !== follower);
      this.#resolved.clear();
    };
  }

  /** True when an emission of this event would run a handler; otherwise callers can skip creating a context. */
  listens(event: string): boolean {
    return !this.#handlersOf(event).isSilent;
  }

  /**
   * Runs all handlers in order and waits for each that returns a promise. Failing ones are reported and skipped. If no
   * handler returns a promise, all have run when this returns.
   */
  emit(event: string, context?: EventContext | null): Promise<void> {
    const resolved = this.#handlersOf(event);
    if (resolved.isSilent) return DONE;
    const given = context ?? {};
    const handlers = resolved.begin(event, given);
    for (let index = 0; index < handlers.length; index++) {
      const registration = handlers[index]!;
      try {
        const { handler } = registration;
        const answer = handler(event, given);
        if (answer !== undefined && isThenable(answer)) return this.#emitFrom(handlers, index, event, given, answer);
      } catch (error) {
        this.#failed(registration, event, error);
      }
    }
    return DONE;
  }

  /**
   * Like {@link emit}; returns the handlers' answers in order, without null and undefined. `read` converts each answer;
   * if it throws, that is a failure of the handler.
   */
  async emit_collect<Answer = unknown>(
    event: string,
    context?: EventContext | null,
    read = (answer: unknown) => answer as Answer,
  ): Promise<NonNullable<Answer>[]> {
    const given = context ?? {};
    const answers: NonNullable<Answer>[] = [];
    for (const registration of this.#handlersOf(event).begin(event, given)) {
      try {
        const { handler } = registration;
        const answer = read(await handler(event, given));
        if (answer !== undefined && answer !== null) answers.push(answer);
      } catch (error) {
        this.#failed(registration, event, error);
      }
    }
    return answers;
  }

  /**
   * Runs all handlers without waiting for promises, for callers that cannot wait; rejections are reported. While the
   * process is exiting, promises no longer continue, so asynchronous handlers are skipped with one warning each. Never
   * throws.
   */
  emit_sync(event: string, context?: EventContext | null): void {
    this.#handlersOf(event).emission(event, context ?? {});
  }

  #emitSyncFrom(handlers: readonly Registration[], first: number, event: string, context: EventContext): void {
    for (let index = first; index < handlers.length; index++) {
      const registration = handlers[index]!;
      if (ending && registration.isAsync) {
        this.#skipAtExit(registration, event);
        continue;
      }
      try {
        const { handler } = registration;
        const answer = handler(event, context);
        if (answer !== undefined && isThenable(answer)) this.#leaveAlone(registration, event, answer);
      } catch (error) {
        this.#failed(registration, event, error);
      }
    }
  }

  /** The rest of an emission, from the handler at `index` that returned a promise. */
  async #emitFrom(
    handlers: readonly Registration[],
    index: number,
    event: string,
    context: EventContext,
    pending: PromiseLike<unknown>,
  ): Promise<void> {
    let waitingFor: PromiseLike<unknown> | null = pending;
    for (const registration of handlers.slice(index)) {
      try {
        const { handler } = registration;
        await (waitingFor ?? handler(event, context));
      } catch (error) {
        this.#failed(registration, event, error);
      }
      waitingFor = null;
    }
  }

  #leaveAlone(registration: Registration, event: string, pending: PromiseLike<unknown>): void {
    if (ending) this.#skipAtExit(registration, event);
    pending.then(nothing, (error: unknown) => this.#failed(registration, event, error));
  }

  /** The handlers of an event: exact ones first, then those of its namespace's wildcard. */
  #handlersOf(event: string): EventHandlers<EventContext, Registration> {
    return this.#resolved.get(event) ?? this.#resolve(event);
  }

  #resolve(event: string): EventHandlers<EventContext, Registration> {
    const exact = this.#registrations.get(event) ?? NOBODY;
    const wildcard = wildcardOf(event);
    const broad = wildcard === null || wildcard === event ? NOBODY : (this.#registrations.get(wildcard) ?? NOBODY);
    const handlers = broad.length === 0 ? exact : exact.length === 0 ? broad : [...exact, ...broad];
    const followers = this.#followers.filter(({ wants }) => wants(event));
    const resolved = new EventHandlers(handlers, this.#steps, followers);
    this.#resolved.set(event, resolved);
    return resolved;
  }

  #unregister(registration: Registration): void {
    const { event } = registration;
    const rest = (this.#registrations.get(event) ?? NOBODY).filter((other) => other !== registration);
    if (rest.length === 0) this.#registrations.delete(event);
    else this.#registrations.set(event, rest);
    this.#order = this.#order.filter((other) => other !== registration);
    this.#resolved.clear();
  }

  #skipAtExit(registration: Registration, event: string): void {
    if (registration.skipped.told) return;
    registration.skipped.told = true;
    this.#tell(
      `handler "${registration.name}" of ${event} is asynchronous and cannot run while the process exits; ` +
        "this is only reported once.",
    );
  }

  #failed(registration: Registration, event: string, error: unknown): void {
    this.#tell(`handler "${registration.name}" failed at ${event}: ${problemOf(error)}`);
  }

  #tell(sentence: string): void {
    try {
      this.#report(sentence);
    } catch {
      // A handler that endlessly emits its own event overflows the stack: report it once there is stack again.
      queueMicrotask(() => this.#tellLate(sentence));
    }
  }

  #tellLate(sentence: string): void {
    try {
      this.#report(sentence);
    } catch {
      // The reporter itself failed. The emitter must not be disturbed, and nothing else can report it.
    }
  }
}

function nothing(): void {
  // Some promise libraries require a function for fulfilment, too.
}

let defaultRegistry: HookRegistry | undefined;

/** The registry of this process; created at the first call if none was installed. */
export function get_default_registry(): HookRegistry {
  return (defaultRegistry ??= new HookRegistry());
}

/** Makes this the registry that {@link get_default_registry} returns. */
export function install_as_default(registry: HookRegistry): void {
  defaultRegistry = registry;
}
