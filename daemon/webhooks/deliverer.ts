/** Sends the deliveries of a home while this process lives: a lane for each endpoint, and one writer of outcomes. */
import { withDeadline } from "#core/deadline";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { DeliveryOutcome, DeliveryStore } from "#core/ports/deliveries";
import { createRareLog } from "#core/rare-log";
import type { Endpoint } from "./endpoints.ts";
import { Lane } from "./lane.ts";
import type { WebhookSender } from "./send.ts";

export interface DelivererOptions {
  readonly store: DeliveryStore;
  readonly sender: Pick<WebhookSender, "send">;
  /** The endpoints of now. */
  readonly endpoints: () => readonly Endpoint[];
  readonly log: Log;
  /** Shows a sentence to the user. */
  readonly warn: (sentence: string) => void;
}

/** How often deliveries are looked for that other processes have left, and while others are sending some. */
const LOOK_AROUND_MS = 60_000;
const LOOK_AGAIN_MS = 2000;
const WRITE_AGAIN_MS = 5000;
/** Whoever stores many tells of each. */
const HEARD_MS = 100;
const DAY_MS = 86_400_000;
/** How long ended deliveries are kept, and how long a pending one is tried at all. */
const KEPT_DAYS = 30;
const TRIED_DAYS = 7;

export class Deliverer implements AsyncDisposable {
  readonly #options: DelivererOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #rare: (sentence: string) => void;
  #outcomes: { readonly outcome: DeliveryOutcome; readonly stored: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #heard: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DelivererOptions) {
    this.#options = options;
    this.#rare = createRareLog({ write: (sentence) => options.log.error(sentence) });
  }

  /** Delivers what other processes have left, now and once a minute. Never rejects. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.lookAround(), LOOK_AROUND_MS).unref();
    await this.#guarded(() => {
      const now = Date.now();
      return this.#options.store.prune({
        ended: new Date(now - KEPT_DAYS * DAY_MS),
        created: new Date(now - TRIED_DAYS * DAY_MS),
      });
    });
    await this.lookAround();
  }

  /** Looks for everything that is due. Never rejects. */
  async lookAround(): Promise<void> {
    await this.#guarded(async () => {
      // A process that is sending may be killed, and nobody else knows of what it has claimed.
      if (await this.#options.store.releaseAbandoned()) this.#lookAgain();
      for (const [name, inMs] of await this.#options.store.due()) this.#lane(name).wake(inMs);
    });
  }

  /** Another machine has stored deliveries: looks for them soon, once for many. */
  hear(): void {
    if (this.#closed) return;
    this.#heard ??= setTimeout(() => {
      this.#heard = undefined;
      void this.lookAround();
    }, HEARD_MS).unref();
  }

  #lookAgain(): void {
    if (this.#closed) return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void this.lookAround(), LOOK_AGAIN_MS).unref();
  }

  /** Deliveries for an endpoint were stored. */
  wake(endpoint: string): void {
    this.#lane(endpoint).wake();
  }

  /** Waits until nothing is being sent, for at most `ms`. */
  async drain(ms: number): Promise<void> {
    await withDeadline(ms, () => Promise.all([...this.#lanes.values()].map((lane) => lane.idle())));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#again);
    clearTimeout(this.#heard);
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
  }

  #lane(name: string): Lane {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      const { store, sender } = this.#options;
      lane = new Lane({
        endpoint: () => this.#options.endpoints().find((one) => one.name === name),
        claim: (options) => store.claim(name, options),
        due: async () => (await store.due()).get(name),
        release: (ids) => store.release(ids),
        send: (endpoint, delivery, signal) => sender.send(endpoint, delivery, signal),
        finish: (outcome) => this.#finish(outcome),
        onGone: (endpoint) => this.#tellGone(endpoint),
        onError: (error) => this.#failed(error),
      });
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  /** Outcomes of one turn of the event loop are one transaction. */
  #finish(outcome: DeliveryOutcome): Promise<void> {
    return new Promise((stored) => {
      if (this.#outcomes.length === 0) setImmediate(() => void this.#write());
      this.#outcomes.push({ outcome, stored });
    });
  }

  async #write(): Promise<void> {
    const written = this.#outcomes;
    this.#outcomes = [];
    try {
      await this.#options.store.finish(written.map(({ outcome }) => outcome));
    } catch (error) {
      this.#failed(error);
      if (!this.#closed) {
        // They are tried again instead of sent again; what is still unwritten at the end is sent twice.
        this.#outcomes = [...written, ...this.#outcomes];
        setTimeout(() => void this.#write(), WRITE_AGAIN_MS).unref();
        return;
      }
    }
    for (const { stored } of written) stored();
  }

  #tellGone({ name }: Endpoint): void {
    const sentence = `The webhook endpoint "${name}" answered that it is gone (410), so it is switched off. "hermes webhooks enable ${name}" switches it on again.`;
    this.#options.log.warn(sentence);
    this.#options.warn(sentence);
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#rare(`webhook deliveries cannot be read or written: ${problemOf(error)}`);
  }
}
