/**
 * Sends queued events to the dashboard in the background: one request at a time, over one connection.
 *
 * A frame is sent until the dashboard confirms it. When a connection breaks before the answer, the frames are sent
 * again (at-least-once delivery), at most three times. A request without an answer is not aborted while the dashboard
 * does not respond at all: if it was only suspended, it answers after it is resumed, and nothing arrives twice.
 */
import type { DiscoveredDashboard } from "./discovery.ts";
import { growingPause } from "#core/backoff";
import { withDeadline, type Settled } from "#core/deadline";
import { problemOf } from "#core/errors";
import { DashboardConnection, type ConnectionAnswer } from "./connection.ts";
import { bodyOf, readPostResult, MOST_FRAMES, Batches, type Batch, type PostResult } from "./batches.ts";
import { ANSWER_MS, healthProblem, LATE_ANSWER, problemOfNone, seemsWell, waitFor } from "./health.ts";
import type { FrameSource } from "./frame-source.ts";
import type { Outlet } from "./outlet.ts";
import { WakeablePause } from "#core/wakeable-pause";

export interface SenderOptions {
  readonly outlet: Outlet;
  readonly source: FrameSource;
  /** The header with the IDs of these events; undefined when they have none. */
  readonly messageIds: (numbers: readonly number[]) => string | undefined;
  /** Takes a message about each failure. */
  readonly onError: (sentence: string) => void;
  /** Called when the dashboard rejects the token, since the discovery file may have another one by now. */
  readonly onUnauthorized: () => void;
}

/** How much longer to wait for a late answer once the dashboard responds to others. */
const GRACE_MS = 500;
/** How often to find out how much longer to wait at the end. */
const FLUSH_STEP_MS = 50;
/** Minimum time between requests while less than a batch is waiting, because batching saves time. */
const PACE_MS = 5;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const BACKOFF = { firstPause: FIRST_PAUSE_MS, longestPause: LONGEST_PAUSE_MS };

export class ForwardSender {
  readonly #options: SenderOptions;
  readonly #batches: Batches;
  #dashboard: DiscoveredDashboard | null = null;
  #connection: DashboardConnection | null = null;
  /** True for a dashboard that accepts one frame at a time. */
  #unbatched = false;
  #unauthorized = false;
  #closing = false;
  #running: Promise<void> | null = null;
  #sentAt = Number.NEGATIVE_INFINITY;
  /** When the first request was sent to this dashboard. */
  #askedAt: number | null = null;
  /** True while the dashboard answers. */
  #alive = false;
  /** Number of consecutive failures. */
  #failures = 0;
  /** Ends the current pause; null when there is none. */
  readonly #pause = new WakeablePause();
  /** True while a pause only collects events. */
  #gathering = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#batches = new Batches(options);
  }

  /** Sets the dashboard to send to; null for none. Events that were not accepted wait for the next one. */
  setDashboard(dashboard: DiscoveredDashboard | null): void {
    if (dashboard?.identity === this.#dashboard?.identity) return;
    this.#dashboard = dashboard;
    this.#unbatched = false;
    this.#askedAt = null;
    this.#alive = false;
    this.#batches.startOver();
    // Without another dashboard, the old one may still answer pending requests.
    if (dashboard !== null) this.#disconnect();
    this.retry();
  }

  /** Retries postponed events immediately. */
  retry(): void {
    this.#unauthorized = false;
    this.#failures = 0;
    this.#pause.wake();
    this.wake();
  }

  /** Announces a waiting event. Called for every event, so it does almost nothing when the sender is already awake. */
  wake(): void {
    if (this.#running === null) this.#running = this.#run();
    else if (this.#gathering && this.#options.outlet.waiting >= MOST_FRAMES) this.#pause.wake();
  }

  /**
   * Sends what it can, then drops the rest. Waits at most this many milliseconds from the first request on, or `alive`
   * milliseconds for a dashboard that answers, or that could not be asked yet.
   */
  async close(ms: number, alive = ms): Promise<void> {
    this.#closing = true;
    this.#pause.wake();
    this.wake();
    await this.#flush(performance.now(), { ms, alive });
    const { held } = this.#options.outlet;
    if (held > 0 && this.#dashboard !== null)
      this.#complain(this.#dashboard, `${held} of them had not arrived when it ended`);
    this.#dashboard = null;
    this.#disconnect();
    this.#batches.close();
    this.#options.outlet.close();
  }

  async #flush(began: number, { ms, alive }: { readonly ms: number; readonly alive: number }): Promise<void> {
    const silent = () => Math.max(began, this.#askedAt!) + ms;
    const until = () => (this.#alive || this.#askedAt === null ? began + alive : Math.min(silent(), began + alive));
    for (
      let left = until() - performance.now();
      this.#running !== null && left >= 0;
      left = until() - performance.now()
    )
      await withDeadline(Math.min(left, FLUSH_STEP_MS), () => this.#running);
  }

  async #run(): Promise<void> {
    // Not synchronously, because the same turn of the event loop may add more events.
    await new Promise((resume) => setImmediate(resume));
    try {
      while (this.#dashboard !== null && (await this.#step(this.#dashboard)));
    } catch (error) {
      this.#options.onError(`forwarding stopped short: ${problemOf(error)}`);
    }
    this.#running = null;
    if (this.#dashboard === null) this.#disconnect();
    // Events that arrived while the last step ended.
    if (!this.#closing && this.#dashboard !== null && this.#options.outlet.waiting > 0) this.wake();
  }

  /** One request, or what must happen before it. False when there is nothing more to do now. */
  async #step(dashboard: DiscoveredDashboard): Promise<boolean> {
    if (this.#unauthorized) return this.#putOff(LONGEST_PAUSE_MS);
    if (this.#connection === null && !(await this.#connect(dashboard))) {
      return this.#dashboard !== dashboard || this.#putOff(growingPause(this.#failures++, BACKOFF));
    }
    await this.#gather();
    const batch = await this.#batches.next();
    if (batch === undefined || this.#connection === null) return batch !== undefined;
    const verdict = await this.#deliver(this.#connection, dashboard, batch);
    this.#batches.settle(verdict);
    return this.#goOn(verdict, dashboard);
  }

  #goOn(verdict: PostResult, dashboard: DiscoveredDashboard): boolean | Promise<boolean> {
    const changed = this.#dashboard !== dashboard;
    switch (verdict.kind) {
      case "settled": {
        this.#failures = 0;
        this.#alive = true;
        if (verdict.lost > 0) this.#complain(dashboard, `it did not accept ${verdict.lost} events`);
        return true;
      }
      case "unbatched": {
        this.#unbatched = true;
        return true;
      }
      case "split":
        return true;
      case "unauthorized": {
        if (changed) return true;
        this.#complain(dashboard, "it does not accept the token (401)");
        this.#unauthorized = true;
        this.#options.onUnauthorized();
        return true;
      }
      case "failed": {
        if (changed) return true;
        this.#complain(dashboard, verdict.problem);
        this.#alive = false;
        this.#disconnect();
        return this.#putOff(growingPause(this.#failures++, BACKOFF));
      }
    }
  }

  async #connect(dashboard: DiscoveredDashboard): Promise<boolean> {
    const connection = await DashboardConnection.to(dashboard.url);
    if (this.#dashboard !== dashboard) {
      connection.close();
      return false;
    }
    this.#connection = connection;
    this.#askedAt ??= performance.now();
    const problem = await healthProblem(connection);
    if (this.#connection !== connection) return false;
    this.#alive = problem === null;
    if (problem === null) return true;
    this.#complain(dashboard, problem);
    this.#disconnect();
    return false;
  }

  /** Sends a batch. While the dashboard handles it, the next one is serialised if it is full. */
  async #deliver(connection: DashboardConnection, dashboard: DiscoveredDashboard, batch: Batch): Promise<PostResult> {
    if (this.#unbatched && batch.frames > 1) return { kind: "unbatched" };
    const sending = this.#send(connection, dashboard, batch);
    if (this.#options.outlet.waiting >= MOST_FRAMES) await this.#batches.prepare();
    return sending;
  }

  async #send(connection: DashboardConnection, dashboard: DiscoveredDashboard, batch: Batch): Promise<PostResult> {
    this.#sentAt = performance.now();
    const { dropped } = this.#options.outlet;
    const unbatched = this.#unbatched;
    const messageIds = this.#options.messageIds(batch.numbers);
    const answer = connection.post({ token: dashboard.token, body: bodyOf(batch, unbatched), dropped, messageIds });
    const first = await waitFor(answer, ANSWER_MS);
    const last = first.kind === "late" ? await this.#outlast(answer, dashboard) : first;
    if (last.kind === "value") return readPostResult(last.value, batch.frames, unbatched);
    return { kind: "failed", problem: problemOfNone(last) };
  }

  /**
   * Keeps waiting for a late answer as long as the dashboard does not answer anything else either: then it hangs or is
   * suspended, and may have received the request or may still receive it.
   */
  async #outlast(
    answer: Promise<ConnectionAnswer>,
    dashboard: DiscoveredDashboard,
  ): Promise<Settled<ConnectionAnswer>> {
    this.#alive = false;
    this.#complain(dashboard, LATE_ANSWER);
    const settled = answer.then(
      () => "settled",
      () => "settled",
    );
    for (let pauses = 0; this.#dashboard === dashboard; pauses++) {
      const first = await Promise.race([settled, seemsWell(dashboard.url)]);
      const pause = growingPause(pauses, { firstPause: FIRST_PAUSE_MS, longestPause: ANSWER_MS });
      const next = await waitFor(answer, first === true ? GRACE_MS : pause);
      if (next.kind !== "late" || first === true) return next;
    }
    return { kind: "late" };
  }

  /** Collects a few events when a request was started only just now. */
  async #gather(): Promise<void> {
    const wait = this.#sentAt + PACE_MS - performance.now();
    if (wait <= 0 || this.#closing || this.#batches.pending || this.#options.outlet.waiting >= MOST_FRAMES) return;
    this.#gathering = true;
    await this.#pause.wait(wait);
    this.#gathering = false;
  }

  /** Waits before the next attempt, or gives up when this process exits. */
  async #putOff(ms: number): Promise<boolean> {
    if (this.#closing) return false;
    await this.#pause.wait(ms);
    return true;
  }

  #disconnect(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  #complain({ url }: Pick<DiscoveredDashboard, "url">, problem: string): void {
    this.#options.onError(`the dashboard at ${url} does not get this process's events: ${problem}`);
  }
}
