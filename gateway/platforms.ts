/** The adapters of the gateway: starts, retries, replaces and stops them. */
import { isHermesError, problemOf, type HermesError } from "#core/errors";
import type { Log } from "#core/home/log";
import type { Adapter, Inbox, SendOptions } from "#core/ports/platform";
import type { Timings } from "./deps.ts";
import { growingPause } from "#core/backoff";
import { withDeadline } from "#core/deadline";

/** A platform for hooks, which may only send. */
export interface PlatformHandle {
  send(chat_id: string, text: string, options?: SendOptions): Promise<unknown>;
}

export interface PlatformsDeps {
  /** Creates the inbox for an adapter's messages; `isOpen` says whether the adapter may still use it. */
  readonly inbox: (platform: string, isOpen: () => boolean) => Inbox;
  /** A platform is up. */
  readonly onLive: (platform: string, adapter: Adapter) => void;
  readonly onRetry?: ((platform: string, seconds: number, problem: string) => void) | undefined;
  readonly log: Log;
  readonly warn: (sentence: string) => void;
  readonly timings: Pick<Timings, "start" | "stop" | "firstPause" | "longestPause">;
}

interface Running {
  readonly name: string;
  readonly adapter: Adapter;
  /** `waiting`: will be retried. `unusable`: misconfigured, so it never runs. */
  state: "starting" | "live" | "waiting" | "unusable" | "stopped";
  failures: number;
  timer: NodeJS.Timeout | undefined;
}

export class PlatformConnections {
  /** The running ones by name; the same object while the gateway runs. */
  readonly handles: Record<string, PlatformHandle> = Object.create(null) as Record<string, PlatformHandle>;
  readonly #deps: PlatformsDeps;
  #running: readonly Running[] = [];
  #changing: Promise<unknown> = Promise.resolve();

  constructor(deps: PlatformsDeps) {
    this.#deps = deps;
  }

  /** The adapter of a running platform. */
  live(platform: string): Adapter | undefined {
    return this.#running.find(({ name, state }) => name === platform && state === "live")?.adapter;
  }

  /** The names of the running ones, in the given order. */
  get names(): readonly string[] {
    return this.#running.filter(({ state }) => state === "live").map(({ name }) => name);
  }

  /** True for a platform that runs or will run. */
  knows(platform: string): boolean {
    return this.#running.some(({ name }) => name === platform);
  }

  /** True when none of them can run until the configuration changes. */
  get isHopeless(): boolean {
    return this.#running.length > 0 && this.#running.every(({ state }) => state === "unusable");
  }

  /**
   * Replaces the adapters: removed ones stop, new ones start. Resolves when each has started, failed for the first time
   * or taken too long; failed ones are retried automatically. Returns the configuration errors of new ones, which have
   * not been reported yet. Never rejects.
   */
  set(adapters: readonly Adapter[]): Promise<readonly HermesError[]> {
    const changed = this.#changing.then(() => this.#change(adapters));
    this.#changing = changed;
    return changed;
  }

  /** Starts these before anything else. Rejects with the error of the first that cannot start, which is not retried. */
  async require(adapters: readonly Adapter[]): Promise<void> {
    for (const one of this.#named(adapters)) {
      this.#running = [...this.#running, one];
      await one.adapter.start(this.#inboxOf(one));
      this.#goLive(one);
    }
  }

  async #change(adapters: readonly Adapter[]): Promise<readonly HermesError[]> {
    const wanted = this.#named(adapters);
    const gone = this.#running.filter(({ adapter }) => !wanted.some((one) => one.adapter === adapter));
    const fresh = wanted.filter(({ adapter }) => !this.#running.some((one) => one.adapter === adapter));
    this.#running = this.#running.filter((one) => !gone.includes(one));
    // Before the new ones start, because a replacement needs the port or connection of the old adapter.
    await Promise.all(gone.map((one) => this.#stop(one)));
    this.#running = [...this.#running, ...fresh];
    const problems = await Promise.all(fresh.map((one) => this.#firstStart(one)));
    return problems.filter((problem) => problem !== null);
  }

  #named(adapters: readonly Adapter[]): Running[] {
    const named = new Map<string, Running>();
    for (const adapter of adapters) {
      const name = nameOf(adapter);
      if (name === undefined) this.#deps.warn("A plugin's platform has no name, so it was not started.");
      else if (named.has(name)) this.#deps.warn(`Two platforms are named "${name}"; the second one was not started.`);
      else named.set(name, { name, adapter, state: "starting", failures: 0, timer: undefined });
    }
    return [...named.values()];
  }

  async #firstStart(one: Running): Promise<HermesError | null> {
    const started = this.#start(one);
    const settled = await withDeadline(this.#deps.timings.start, () => started);
    if (settled.kind === "value") return settled.value;
    this.#deps.warn(
      `The platform "${one.name}" has not started within ${this.#deps.timings.start / 1000} s; the gateway continues ` +
        "and uses it once it has started.",
    );
    void started.then((problem) => this.#tell(problem));
    return null;
  }

  /** Returns what is wrong with the adapter's configuration, or null. Never rejects. */
  async #start(one: Running): Promise<HermesError | null> {
    const { adapter } = one;
    one.state = "starting";
    try {
      await adapter.start(this.#inboxOf(one));
    } catch (error) {
      return isStopped(one) ? null : this.#failed(one, error);
    }
    if (isStopped(one)) {
      await this.#end(one);
      return null;
    }
    this.#goLive(one);
    return null;
  }

  #inboxOf(one: Running): Inbox {
    return this.#deps.inbox(one.name, () => one.state !== "stopped");
  }

  #goLive(one: Running): void {
    const { name, adapter } = one;
    one.state = "live";
    one.failures = 0;
    this.handles[name] = Object.freeze<PlatformHandle>({
      send: async (chat_id, text, options) => adapter.send(chat_id, text, options),
    });
    this.#deps.log.info("a platform is running", { platform: name });
    this.#deps.onLive(name, adapter);
  }

  #failed(one: Running, error: unknown): HermesError | null {
    const { name } = one;
    const problem = problemOf(error);
    this.#deps.log.warn("a platform cannot start", { platform: name, problem });
    // A configuration error stays until the configuration changes, which creates a new adapter.
    if (isHermesError(error) && error.code === "HERMES_ADAPTER_CONFIG") {
      one.state = "unusable";
      return error;
    }
    const pause = growingPause(one.failures, this.#deps.timings);
    const seconds = Math.max(1, Math.round(pause / 1000));
    // At the longest pause it has been said often enough; the log has each attempt.
    if (one.failures > 0 && pause < this.#deps.timings.longestPause) this.#deps.onRetry?.(name, seconds, problem);
    if (one.failures === 0) {
      const sentence = isHermesError(error) ? problem : `The platform "${name}" cannot start: ${problem}`;
      this.#deps.warn(
        `${sentence.replace(/\.$/, "")}. The gateway continues without it and retries with increasing delays, first in ${seconds} s.`,
      );
    }
    one.state = "waiting";
    one.timer = setTimeout(() => void this.#start(one).then((wrong) => this.#tell(wrong)), pause);
    one.failures++;
    return null;
  }

  #tell(problem: HermesError | null): void {
    if (problem !== null) this.#deps.warn(problem.message);
  }

  async #stop(one: Running): Promise<void> {
    const { state, name } = one;
    one.state = "stopped";
    clearTimeout(one.timer);
    // A replacement may already be registered under the name.
    if (state === "live") delete this.handles[name];
    if (state === "live" || state === "starting") await this.#end(one);
  }

  async #end({ name, adapter }: Running): Promise<void> {
    const settled = await withDeadline(this.#deps.timings.stop, () => adapter.stop());
    if (settled.kind === "value") return;
    const problem = settled.kind === "late" ? "it took too long" : problemOf(settled.error);
    this.#deps.log.warn("a platform did not stop properly", { platform: name, problem });
  }
}

function isStopped({ state }: Running): boolean {
  return state === "stopped";
}

function nameOf(adapter: Adapter): string | undefined {
  try {
    const name: unknown = adapter.name;
    return typeof name === "string" && name !== "" ? name : undefined;
  } catch {
    // A plugin's getter threw, so the adapter has no name.
    return undefined;
  }
}
