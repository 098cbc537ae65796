/** Gateway events: an open set of `namespace:name`, with handlers that get `(event_type, context)` (seed 002). */
import { problemOf } from "./errors.ts";

export type EventContext = Record<string, unknown>;
export type EventHandler = (event_type: string, context: EventContext) => unknown;

export interface LoadedHook {
  readonly name: string;
  readonly description: string;
  readonly events: readonly string[];
  readonly path: string;
}

interface Registration {
  readonly event: string;
  readonly name: string;
  readonly handler: EventHandler;
}

/** Takes one sentence about a handler that failed, with the handler's name in it. */
export type RegistryReport = (sentence: string) => void;

export class HookRegistry {
  readonly #registrations = new Map<string, readonly Registration[]>();
  #loaded: readonly LoadedHook[] = [];
  readonly #report: RegistryReport;

  /** `report` takes the failures of handlers; without it they go to standard error. */
  constructor(report: RegistryReport = (sentence) => void process.stderr.write(`[hooks] ${sentence}\n`)) {
    this.#report = report;
  }

  get loaded_hooks(): readonly LoadedHook[] {
    return this.#loaded;
  }

  /** Adds a handler for one event, or for every event of a namespace with `namespace:*`. Returns its undo. */
  register(event: string, handler: EventHandler, options: { name?: string } = {}): () => void {
    const name = options.name ?? (handler.name || "<anonymous>");
    const registration: Registration = { event, name, handler };
    const loaded: LoadedHook = {
      name,
      description: "(registered programmatically)",
      events: [event],
      path: "<programmatic>",
    };
    this.#registrations.set(event, [...(this.#registrations.get(event) ?? []), registration]);
    this.#loaded = [...this.#loaded, loaded];
    return () => {
      const rest = (this.#registrations.get(event) ?? []).filter((other) => other !== registration);
      if (rest.length === 0) this.#registrations.delete(event);
      else this.#registrations.set(event, rest);
      this.#loaded = this.#loaded.filter((other) => other !== loaded);
    };
  }

  /** Runs every handler, one after another, and waits for each. A failing one is reported and passed over. */
  async emit(event: string, context: EventContext = {}): Promise<void> {
    await this.emit_collect(event, context);
  }

  /** Like {@link emit}; gives what the handlers answered, in order, without null and undefined. */
  async emit_collect(event: string, context: EventContext = {}): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (const registration of this.#handlers(event)) {
      try {
        const answer: unknown = await registration.handler(event, context);
        if (answer !== undefined && answer !== null) answers.push(answer);
      } catch (error) {
        this.#failed(registration, event, error);
      }
    }
    return answers;
  }

  /** Runs synchronous handlers at once; what an asynchronous one does later is not waited for. Never throws. */
  emit_sync(event: string, context: EventContext = {}): void {
    for (const registration of this.#handlers(event)) {
      try {
        const answer = registration.handler(event, context);
        if (answer instanceof Promise) answer.catch((error: unknown) => this.#failed(registration, event, error));
      } catch (error) {
        this.#failed(registration, event, error);
      }
    }
  }

  /** The handlers of an event: exact ones first, then those of its namespace's wildcard. */
  #handlers(event: string): readonly Registration[] {
    const exact = this.#registrations.get(event) ?? [];
    const colon = event.indexOf(":");
    const wildcard = `${event.slice(0, colon)}:*`;
    if (colon === -1 || wildcard === event) return exact;
    return [...exact, ...(this.#registrations.get(wildcard) ?? [])];
  }

  #failed(registration: Registration, event: string, error: unknown): void {
    this.#report(`handler "${registration.name}" failed at ${event}: ${problemOf(error)}`);
  }
}
