/** The daemons inside `hermes serve` (`daemons` in the configuration): each as `hermes run --daemon` has it. */
import { HermesError } from "#core/errors";
import type { DaemonSession } from "#daemon/session/daemon-session";
import { daemonFiles, nameProblem } from "#daemon/session/place";
import { contentProblem } from "#daemon/session/wire";
import { endDaemon, openDaemon, sessionOf } from "#cli/daemon/open";
import { claimDaemon } from "../home-claim.ts";
import type { Host } from "../host/host.ts";

type Settings = NonNullable<Host["config"]["values"]["daemons"]>[number];

export class ServedDaemons {
  readonly #host: Host;
  /** Each with what gives its name free. */
  readonly #running = new Map<DaemonSession, () => void>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Starts all of them. Throws HERMES_CONFIG_TYPE, HERMES_DAEMON_RUNNING and HERMES_DAEMON_START; the caller then drains. */
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
    const isNew = sessionOf(host, name).started_at === null;
    const daemon = openDaemon({
      host,
      name,
      files,
      hooks,
      ownsProcess: false,
      onFrame: () => undefined,
      // `hermes stop` ends this daemon until the service starts again.
      onStop: () => void this.#stop(daemon),
    });
    this.#running.set(daemon, release);
    await daemon.start();
    // A service is restarted more often than a conversation begins.
    if (prompt !== undefined && isNew) await daemon.post({ source: "inject", label: "prompt", content: prompt });
  }

  async #stop(daemon: DaemonSession): Promise<void> {
    await endDaemon(this.#host, daemon);
    this.#running.get(daemon)?.();
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
