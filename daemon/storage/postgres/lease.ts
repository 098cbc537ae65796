/** The lease of an attempt: for as long as its process renews it, nobody takes the task up elsewhere. */
import type { AttemptListener } from "#core/ports/tasks";

/** Renews it by its whole length. `gone` when the attempt is over, `cancelled` when somebody elsewhere wants it to end. */
export type Renew = () => Promise<"kept" | "cancelled" | "gone">;

export interface LeaseTimes {
  /** How long it is valid, by the server's clock. */
  readonly leaseMs: number;
  readonly renewMs: number;
  /** So much earlier than the server, its process takes it for over. */
  readonly marginMs: number;
}

/** Long enough for a database that is away for 30 s right before a renewal, and for the next one to come. */
export const LEASE_TIMES: LeaseTimes = { leaseMs: 45_000, renewMs: 5000, marginMs: 2000 };

export class Lease implements Disposable {
  readonly #renew: Renew;
  readonly #listener: AttemptListener;
  readonly #times: LeaseTimes;
  #timer: NodeJS.Timeout | undefined;
  #end: NodeJS.Timeout | undefined;
  #isOver = false;
  #isCancelled = false;

  /** It was renewed just now. */
  constructor(renew: Renew, listener: AttemptListener, times: LeaseTimes) {
    this.#renew = renew;
    this.#listener = listener;
    this.#times = times;
    this.#endIn(times.leaseMs - times.marginMs);
    void this.#keep();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#end);
  }

  async #keep(): Promise<void> {
    const asked = performance.now();
    try {
      const answer = await this.#renew();
      if (this.#isOver) return;
      if (answer === "gone") return this.#lose("ended");
      this.#endIn(this.#times.leaseMs - this.#times.marginMs - (performance.now() - asked));
      if (answer === "cancelled" && !this.#isCancelled) {
        this.#isCancelled = true;
        this.#listener.onCancel();
      }
    } catch {
      // The database is away: it is tried again until the lease is over.
    }
    if (!this.#isOver) this.#timer = setTimeout(() => void this.#keep(), this.#times.renewMs).unref();
  }

  #endIn(ms: number): void {
    clearTimeout(this.#end);
    this.#end = setTimeout(() => this.#lose("expired"), Math.max(0, ms)).unref();
  }

  #lose(why: "ended" | "expired"): void {
    if (this.#isOver) return;
    this[Symbol.dispose]();
    this.#listener.onLost(why);
  }
}
