/** The deliveries of one endpoint on their way: apart from those of the others, so that no endpoint delays another. */
import type { ClaimedDelivery, DeliveryOutcome } from "#core/ports/deliveries";
import { CircuitBreaker } from "./breaker.ts";
import type { Endpoint } from "./endpoints.ts";
import { nextStep, verdictOn, type SendResult } from "./retry.ts";

export interface LaneDeps {
  /** The endpoint of now; undefined once the configuration has none of that name. */
  readonly endpoint: () => Endpoint | undefined;
  readonly claim: (options: { limit: number; leaseMs: number }) => Promise<readonly ClaimedDelivery[]>;
  /** In how many milliseconds something is due next; undefined for nothing. */
  readonly due: () => Promise<number | undefined>;
  readonly release: (ids: readonly string[]) => Promise<void>;
  readonly send: (endpoint: Endpoint, delivery: ClaimedDelivery, signal: AbortSignal) => Promise<SendResult>;
  /** Resolves when the outcome is stored. */
  readonly finish: (outcome: DeliveryOutcome) => Promise<void>;
  /** Called when the endpoint has switched itself off. */
  readonly onGone: (endpoint: Endpoint) => void;
  /** Told when deliveries cannot be read. */
  readonly onError: (error: unknown) => void;
}

/** Requests at a time. */
const SIDE_BY_SIDE = 8;
/** How many are claimed at once, and so the length of a lease: the last of them waits for the others. */
const CLAIMED_AT_ONCE = 32;
const LEASE_MARGIN_MS = 30_000;
const RETRY_CLAIM_MS = 5000;
const SHORTEST_PAUSE_MS = 200;
/** Then it looks again, whatever the clock did meanwhile. */
const LONGEST_TIMER_MS = 600_000;

export class Lane {
  readonly #deps: LaneDeps;
  readonly #breaker = new CircuitBreaker();
  readonly #stopped = new AbortController();
  readonly #ready: ClaimedDelivery[] = [];
  readonly #running = new Set<Promise<void>>();
  #claiming: Promise<void> | undefined;
  #mayHaveMore = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, as of `performance.now()`. */
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
  }

  get isBusy(): boolean {
    return this.#running.size > 0 || this.#ready.length > 0 || this.#claiming !== undefined;
  }

  /** Something is due, now or in `inMs`. */
  wake(inMs = 0): void {
    if (this.#stopped.signal.aborted) return;
    if (inMs <= 0) {
      this.#mayHaveMore = true;
      this.#advance();
      return;
    }
    const pause = Math.min(inMs, LONGEST_TIMER_MS);
    const at = performance.now() + pause;
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.wake();
    }, pause).unref();
  }

  /** Resolves when nothing is being sent. */
  async idle(): Promise<void> {
    while (this.isBusy) await Promise.all([this.#claiming, ...this.#running]);
  }

  /** Breaks off what is being sent, which is then due again, and gives back the rest. */
  async close(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await this.#claiming;
    await this.#giveBack();
    await Promise.all(this.#running);
  }

  #advance(): void {
    const endpoint = this.#deps.endpoint();
    if (this.#stopped.signal.aborted || endpoint === undefined) return;
    const { restMs, isProbing } = this.#breaker;
    if (restMs > 0) {
      void this.#giveBack();
      return this.wake(restMs);
    }
    const most = isProbing ? 1 : SIDE_BY_SIDE;
    while (this.#running.size < most && this.#ready.length > 0) this.#start(endpoint, this.#ready.shift()!);
    if (this.#ready.length === 0 && this.#mayHaveMore && this.#running.size < most) this.#claim(endpoint, most);
  }

  #claim(endpoint: Endpoint, most: number): void {
    if (this.#claiming !== undefined) return;
    this.#mayHaveMore = false;
    const limit = most === 1 ? 1 : CLAIMED_AT_ONCE;
    const rounds = Math.ceil(limit / SIDE_BY_SIDE);
    const leaseMs = rounds * endpoint.timeoutSeconds * 1000 + LEASE_MARGIN_MS;
    this.#claiming = this.#take({ limit, leaseMs }).then(
      () => {
        this.#claiming = undefined;
        if (this.#ready.length > 0 || this.#mayHaveMore) this.#advance();
      },
      (error: unknown) => {
        this.#claiming = undefined;
        this.#deps.onError(error);
        this.wake(RETRY_CLAIM_MS);
      },
    );
  }

  async #take(options: { limit: number; leaseMs: number }): Promise<void> {
    const claimed = await this.#deps.claim(options);
    this.#ready.push(...claimed);
    if (claimed.length === options.limit) this.#mayHaveMore = true;
    if (claimed.length > 0 || this.#mayHaveMore) return;
    const inMs = await this.#deps.due();
    // Not at once: what is due now and was not handed out is being sent by another process.
    if (inMs !== undefined) this.wake(Math.max(inMs, SHORTEST_PAUSE_MS));
  }

  #start(endpoint: Endpoint, delivery: ClaimedDelivery): void {
    const run = this.#send(endpoint, delivery).finally(() => {
      this.#running.delete(run);
      this.#advance();
    });
    this.#running.add(run);
  }

  async #send(endpoint: Endpoint, delivery: ClaimedDelivery): Promise<void> {
    const counts = !this.#breaker.isProbing;
    const started = performance.now();
    const at = new Date().toISOString();
    const result = await this.#deps.send(endpoint, delivery, this.#stopped.signal);
    if (this.#stopped.signal.aborted && result.error !== null) return this.#deps.release([delivery.id]);
    if (verdictOn(result) === "again") this.#breaker.failed();
    else this.#breaker.succeeded();
    const { restMs } = this.#breaker;
    const attempts = delivery.attempts + (counts ? 1 : 0);
    const next = nextStep(endpoint.retry, result, { attempts, counts, restMs });
    const { status, error } = result;
    const duration_ms = Math.round(performance.now() - started);
    await this.#deps.finish({ id: delivery.id, attempt: { at, status, error, duration_ms }, next });
    if (next.kind === "gone") this.#deps.onGone(endpoint);
    if (next.kind === "again") this.wake(Math.max(next.inMs, restMs));
  }

  async #giveBack(): Promise<void> {
    const ids = this.#ready.splice(0).map(({ id }) => id);
    if (ids.length === 0) return;
    this.#mayHaveMore = true;
    await this.#deps.release(ids).catch((error: unknown) => this.#deps.onError(error));
  }
}
