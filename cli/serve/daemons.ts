/** The daemons inside `hermes serve` (`daemons` in the configuration): each as `hermes run --daemon` has it. */
import { HermesError } from "#core/errors";
import type { DaemonSession } from "#daemon/session/daemon-session";
import { daemonFiles, nameProblem } from "#daemon/session/place";
import { contentProblem } from "#daemon/session/wire";
import { tellAddresses } from "#cli/daemon/addresses";
import { DRAIN_MS, endDaemon, openDaemon, sessionOf } from "#cli/daemon/open";
import { openInbound, type DaemonInbound } from "#cli/inbound/open";
import type { InboundStartOptions } from "#cli/inbound/start";
import { claimDaemon } from "../home-claim.ts";
import type { Host } from "../host/host.ts";

type Settings = NonNullable<Host["config"]["values"]["daemons"]>[number];

interface Parts {
  /** Gives the daemon's name free. */
  readonly release: () => void;
  readonly inbound: DaemonInbound | undefined;
}

export class ServedDaemons {
  readonly #host: Host;
  readonly #options: Pick<InboundStartOptions, "context" | "globals">;
  readonly #running = new Map<DaemonSession, Parts>();

  constructor(host: Host, options: Pick<InboundStartOptions, "context" | "globals">) {
    this.#host = host;
    this.#options = options;
  }

  /**
   * Starts all of them. Throws HERMES_CONFIG_TYPE, HERMES_DAEMON_RUNNING, HERMES_DAEMON_START and what the start of an
   * inbound webhook throws; the caller then drains.
   */
  async start(): Promise<void> {
    const { config } = this.#host;
    const daemons = config.values.daemons ?? [];
    daemons.forEach((settings, index) => check(settings, index, daemons, this.#host));
    for (const settings of daemons) await this.#startOne(settings);
  }

  /** The number of running turns. */
  active(): number {
    return [...this.#running.keys()].filter(({ state }) => state === "running").length;
  }

  /** Gives the running turns their time. */
  async drain(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((daemon) => this.#stop(daemon)));
  }

  async #startOne({ name, prompt, hooks = [] }: Settings): Promise<void> {
    const host = this.#host;
    const files = daemonFiles(host.paths.run, name);
    const release = claimDaemon(files.claim, name);
    let inbound: DaemonInbound | undefined;
    try {
      const { paths, config } = host;
      if (hooks.length > 0) inbound = await openInbound(hooks, { ...this.#options, paths, config });
    } catch (error) {
      release();
      throw error;
    }
    const isNew = sessionOf(host, name).started_at === null;
    const daemon: DaemonSession = await openDaemon({
      host,
      name,
      files,
      hooks,
      addresses: inbound?.addresses ?? [],
      ownsProcess: false,
      onFrame: () => undefined,
      // `hermes stop` ends this daemon until the service starts again.
      onStop: () => void this.#stop(daemon),
    });
    this.#running.set(daemon, { release, inbound });
    await daemon.start();
    await inbound?.start(daemon, host);
    tellAddresses(inbound?.addresses ?? [], this.#options.context);
    // A service is restarted more often than a conversation begins.
    if (prompt !== undefined && isNew) await daemon.post({ source: "inject", label: "prompt", content: prompt });
  }

  async #stop(daemon: DaemonSession): Promise<void> {
    const parts = this.#running.get(daemon);
    await Promise.all([parts?.inbound?.stop(DRAIN_MS), endDaemon(this.#host, daemon)]);
    parts?.release();
    this.#running.delete(daemon);
  }
}

function check({ name, prompt }: Settings, index: number, daemons: readonly Settings[], { config }: Host): void {
  const twice = daemons.findIndex((other) => other.name === name) !== index;
  const message = prompt === undefined ? undefined : contentProblem(prompt);
  const problem = nameProblem(name) ?? (twice ? "is used twice" : undefined);
  const key = `daemons[${index}]`;
  if (problem !== undefined)
    throw wrong(config.file ?? "config.yaml", `${key}.name`, `${key}.name: a daemon's name ${problem}`);
  if (message !== undefined) throw wrong(config.file ?? "config.yaml", `${key}.prompt`, `${key}.prompt: ${message}`);
}

function wrong(file: string, key: string, problem: string): HermesError {
  return new HermesError("HERMES_CONFIG_TYPE", { file, key, problem });
}
