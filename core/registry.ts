/**
 * Gateway events: an open set of `namespace:name`, with handlers that get `(event_type, context)` (seed 002).
 *
 * The handlers of an event are resolved once and remembered, as a list that nobody changes: an emission runs the list
 * that it began with, whatever its handlers register or unregister meanwhile.
 */
import { problemOf } from "./errors.ts";
import { wildcardOf } from "./gateway-event-names.ts";
import { isThenable } from "./thenable.ts";

export type EventContext = Record<string, unknown>;
export type EventHandler = (event_type: string, context: EventContext) => unknown;

export interface LoadedHook {
  readonly name: string;
  readonly description: string;
  readonly events: readonly string[];
  readonly path: string;
}

/** What is known of a handler beside its event: shown by `loaded_hooks` and named when it fails. */
export interface RegisterOptions {
  /** The function's own name when absent. */
  readonly name?: string;
  readonly description?: string;
  /** The folder of a hook that has one. Registrations of one name and path are one hook with several events. */
  readonly path?: string;
}

interface Registration {
  readonly event: string;
  readonly handler: EventHandler;
  readonly name: string;
  readonly description: string;
  /** Null for a handler that was registered by a program. */
  readonly path: string | null;
  /** True for an async function, which can be left out before it begins. */
  readonly isAsync: boolean;
  /** Set once it was said that it cannot run any more. */
  skippedAtExit: boolean;
}

/** Takes one sentence about a handler that failed, with the handler's name in it. */
export type RegistryReport = (sentence: string) => void;

/** Names of events are an open set: more than these are not remembered at a time. */
const MOST_REMEMBERED = 1024;
const NOBODY: readonly Registration[] = [];
/** What `emit` gives when no handler was asynchronous: no promise is made for it. */
const DONE = Promise.resolve();

const AsyncFunction = Object.getPrototypeOf(async () => undefined) as object;

/** True from the moment the process ends: no promise goes on from here. */
let ending = false;
process.prependOnceListener("exit", () => {
  ending = true;
});

export class HookRegistry {
  readonly #registrations = new Map<string, readonly Registration[]>();
  /** All of them, in the order of registration. */
  #order: readonly Registration[] = [];
  readonly #resolved = new Map<string, readonly Registration[]>();
  readonly #report: RegistryReport;

  /** `report` takes the failures of handlers; without it they go to standard error. */
  constructor(report: RegistryReport = (sentence) => void process.stderr.write(`[hooks] ${sentence}\n`)) {
    this.#report = report;
  }

  /** What is registered, one element a hook, in the order of registration. */
  get loaded_hooks(): readonly LoadedHook[] {
    const hooks = new Map<unknown, LoadedHook & { readonly events: string[] }>();
    for (const registration of this.#order) {
      const { name, description, event, path } = registration;
      const key = path === null ? registration : `${name}\0${path}`;
      const known = hooks.get(key);
      if (known === undefined) hooks.set(key, { name, description, events: [event], path: path ?? "<programmatic>" });
      else known.events.push(event);
    }
    return [...hooks.values()];
  }

  /**
   * Adds a handler for one event, or for every event of a namespace with `namespace:*`. Returns its undo, which may be
   * called more than once. Throws a TypeError for a handler that is no function.
   */
  register(event: string, handler: EventHandler, options: RegisterOptions = {}): () => void {
    if (typeof handler !== "function") throw new TypeError(`the handler for ${event} is no function`);
    const registration: Registration = {
      event,
      handler,
      name: options.name ?? (handler.name || "<anonymous>"),
      description: options.description ?? "(registered programmatically)",
      path: options.path ?? null,
      isAsync: AsyncFunction.isPrototypeOf(handler),
      skippedAtExit: false,
    };
    this.#registrations.set(event, [...(this.#registrations.get(event) ?? NOBODY), registration]);
    this.#order = [...this.#order, registration];
    this.#resolved.clear();
    return () => this.#unregister(registration);
  }

  /** True when an emission of this event would run a handler: what costs something to make need not be made else. */
  listens(event: string): boolean {
    return this.#handlers(event).length > 0;
  }

  /**
   * Runs every handler, one after another, and waits for each that gives a promise. A failing one is reported and
   * passed over. Without such a handler nothing waits: all have run when this returns.
   */
  emit(event: string, context?: EventContext | null): Promise<void> {
    const handlers = this.#handlers(event);
    if (handlers.length === 0) return DONE;
    const given = context ?? {};
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
   * Like {@link emit}; gives what the handlers answered, in order, without null and undefined. `read` makes of each
   * answer what is wanted of it; what it throws is a failure of that handler.
   */
  async emit_collect<Answer = unknown>(
    event: string,
    context?: EventContext | null,
    read = (answer: unknown) => answer as Answer,
  ): Promise<NonNullable<Answer>[]> {
    const given = context ?? {};
    const answers: NonNullable<Answer>[] = [];
    for (const registration of this.#handlers(event)) {
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
   * Runs every handler at once, for callers that cannot wait; what a promise of a handler comes to is not waited for,
   * its rejection is reported. While the process ends no promise goes on any more: asynchronous handlers are left out
   * then, with one warning each. Never throws.
   */
  emit_sync(event: string, context?: EventContext | null): void {
    const handlers = this.#handlers(event);
    if (handlers.length === 0) return;
    const given = context ?? {};
    for (let index = 0; index < handlers.length; index++) {
      const registration = handlers[index]!;
      if (ending && registration.isAsync) {
        this.#skipAtExit(registration, event);
        continue;
      }
      try {
        const { handler } = registration;
        const answer = handler(event, given);
        if (answer !== undefined && isThenable(answer)) this.#leaveAlone(registration, event, answer);
      } catch (error) {
        this.#failed(registration, event, error);
      }
    }
  }

  /** The rest of an emission, from the handler at `index` that gave a promise. */
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
  #handlers(event: string): readonly Registration[] {
    return this.#resolved.get(event) ?? this.#resolve(event);
  }

  #resolve(event: string): readonly Registration[] {
    const exact = this.#registrations.get(event) ?? NOBODY;
    const wildcard = wildcardOf(event);
    const broad = wildcard === null || wildcard === event ? NOBODY : (this.#registrations.get(wildcard) ?? NOBODY);
    const handlers = broad.length === 0 ? exact : exact.length === 0 ? broad : [...exact, ...broad];
    if (this.#resolved.size >= MOST_REMEMBERED) this.#resolved.clear();
    this.#resolved.set(event, handlers);
    return handlers;
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
    if (registration.skippedAtExit) return;
    registration.skippedAtExit = true;
    this.#tell(
      `handler "${registration.name}" of ${event} is asynchronous and cannot run while the process ends; ` +
        "this is said once.",
    );
  }

  #failed(registration: Registration, event: string, error: unknown): void {
    this.#tell(`handler "${registration.name}" failed at ${event}: ${problemOf(error)}`);
  }

  #tell(sentence: string): void {
    try {
      this.#report(sentence);
    } catch {
      // A handler that emits its own event without end leaves no stack to report on: a moment later there is one.
      queueMicrotask(() => this.#tellLate(sentence));
    }
  }

  #tellLate(sentence: string): void {
    try {
      this.#report(sentence);
    } catch {
      // The reporter itself fails. Whoever emits must never be disturbed, and there is nobody left to tell.
    }
  }
}

function nothing(): void {
  // Some promises insist on a function for the good case, too.
}

let defaultRegistry: HookRegistry | undefined;

/** The registry of this process; made at the first call when none was installed. */
export function get_default_registry(): HookRegistry {
  return (defaultRegistry ??= new HookRegistry());
}

/** Makes this registry the one that {@link get_default_registry} gives. */
export function install_as_default(registry: HookRegistry): void {
  defaultRegistry = registry;
}
