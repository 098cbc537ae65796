/** Keeps the name of a daemon for its process, where several machines share a storage. */
import { problemOf } from "#core/errors";
import { HEARTBEAT_MS } from "#core/heartbeat";
import type { Log } from "#core/home/log";
import type { DaemonDirectory, DaemonHold, DaemonReport } from "#core/ports/daemon-directory";
import { createRareLog } from "#core/rare-log";

export interface PresenceOptions {
  readonly daemons: DaemonDirectory;
  readonly name: string;
  readonly report: () => DaemonReport;
  /** Called when messages wait. */
  readonly onQueued: () => void;
  /** Called when somebody asks the daemon to end, or when another one has its name. */
  readonly onStop: () => void;
  readonly log: Log;
}

export class Presence implements AsyncDisposable {
  readonly #options: PresenceOptions;
  readonly #hold: DaemonHold;
  readonly #rare: (sentence: string) => void;
  readonly #timer: NodeJS.Timeout;
  #last: Promise<void> = Promise.resolve();
  #isOver = false;

  private constructor(options: PresenceOptions, hold: DaemonHold) {
    this.#options = options;
    this.#hold = hold;
    this.#rare = createRareLog({ write: (sentence) => options.log.error(sentence) });
    this.#timer = setInterval(() => void this.beat(), HEARTBEAT_MS).unref();
  }

  /** Rejects with HERMES_DAEMON_RUNNING and what the engine throws. */
  static async begin(options: PresenceOptions): Promise<Presence> {
    return new Presence(options, await options.daemons.hold(options.name, options.report()));
  }

  /** Says that the daemon lives, and hears what is wanted of it. Never rejects: what is away may come back. */
  beat(): Promise<void> {
    this.#last = this.#last.then(() => this.#beat());
    return this.#last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#timer);
    await this.#last;
    try {
      await this.#hold[Symbol.asyncDispose]();
    } catch (error) {
      // Its row is old soon, and says so by its last beat.
      this.#rare(`the storage could not be told that the daemon has ended: ${problemOf(error)}`);
    }
  }

  async #beat(): Promise<void> {
    if (this.#isOver) return;
    const { report, name, onQueued, onStop, log } = this.#options;
    try {
      const { kind, queued } = await this.#hold.beat(report());
      if (kind === "lost") log.error(`another process has the name "${name}", because this one could not be heard`);
      if (queued > 0) onQueued();
      if (kind === "kept") return;
      this.#isOver = true;
      onStop();
    } catch (error) {
      this.#rare(`the daemon waits for its storage: ${problemOf(error)}`);
    }
  }
}
