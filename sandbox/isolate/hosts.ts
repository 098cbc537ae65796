/** The processes that host isolates: started on demand, shared by several hooks, replaced when they end. */
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import { IsolateHost } from "./host.ts";
import { HOST_LIMITS } from "./limits.ts";

export interface HostsOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

const EMPTY = "it has no hooks any more";
const CLOSED = "the program ends";
const expected: ReadonlySet<string> = new Set([EMPTY, CLOSED]);

export class IsolateHosts implements AsyncDisposable {
  readonly #options: HostsOptions;
  /** Processes shared by several hooks, and those for a single hook that has ended a process before. */
  readonly #shared = new Set<IsolateHost>();
  readonly #single = new Set<IsolateHost>();
  readonly #lingering = new Map<IsolateHost, NodeJS.Timeout>();

  constructor(options: HostsOptions) {
    this.#options = options;
  }

  /** A process with room for one more hook; `alone` for a hook that must not end other hooks together with its process. */
  take(alone: boolean): IsolateHost {
    const kind = alone ? this.#single : this.#shared;
    const found = [...kind].find((host) => host.hasRoom && (host.isEmpty || !alone)) ?? this.#start(kind);
    clearTimeout(this.#lingering.get(found));
    this.#lingering.delete(found);
    return found;
  }

  /**
   * Starts a process for the first hook, if there is none: it takes longer than the rest of a first event, because
   * isolated-vm demands a Node without its start-up snapshot. Never throws.
   */
  prepare(): void {
    if (this.#shared.size > 0) return;
    try {
      this.#start(this.#shared).prepare();
    } catch (error) {
      this.#options.log.debug("no process for isolated hooks could be started ahead", { problem: problemOf(error) });
    }
  }

  /** Must be called when a hook has left a process: an empty process is ended after a while. */
  release(host: IsolateHost): void {
    if (!host.isEmpty || this.#lingering.has(host)) return;
    const end = () => {
      if (host.isEmpty) void host.kill(EMPTY);
    };
    this.#lingering.set(host, setTimeout(end, host.hasRoom ? HOST_LIMITS.lingerMs : 0).unref());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const hosts = [...this.#shared, ...this.#single];
    await Promise.all(hosts.map((host) => host.kill(CLOSED)));
  }

  #start(kind: Set<IsolateHost>): IsolateHost {
    const host = new IsolateHost(this.#options.env);
    kind.add(host);
    void host.ended.then(({ problem, culprit }) => {
      kind.delete(host);
      clearTimeout(this.#lingering.get(host));
      this.#lingering.delete(host);
      if (!expected.has(problem)) this.#options.log.warn("a process of isolated hooks has ended", { problem, culprit });
    });
    return host;
  }
}
