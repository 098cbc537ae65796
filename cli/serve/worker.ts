/** The worker inside `hermes serve`, which follows `background` in the configuration from reload to reload. */
import type { Host } from "../host/host.ts";
import { openWorker, type HomeWorker } from "../tasks/open-worker.ts";

export class ServedWorker {
  readonly #host: Host;
  readonly #env: NodeJS.ProcessEnv;
  #worker: HomeWorker | undefined;
  #isStarted = false;
  #isStopped = false;
  #changing: Promise<void> = Promise.resolve();

  /** `env` is the environment of tasks. */
  constructor(host: Host, env: NodeJS.ProcessEnv) {
    this.#host = host;
    this.#env = env;
  }

  /** From now on others find the worker, if there is to be one. Throws HERMES_WORKER_START. */
  open(): Promise<void> {
    return this.#follow();
  }

  /** Takes tasks from now on, and follows reloads. */
  async start(): Promise<void> {
    this.#isStarted = true;
    await this.#worker?.start();
    this.#host.onReload(async () => {
      const followed = this.#follow();
      // One that ends waits for its tasks, and a reload does not wait for that.
      if (this.#settings.enabled) await followed;
    });
  }

  /** The number of running tasks. */
  get active(): number {
    return this.#worker?.active ?? 0;
  }

  /** Gives running tasks their time, then queues them again. */
  stop(): Promise<void> {
    this.#isStopped = true;
    return this.#change(() => this.#end());
  }

  /** Interrupts running tasks at once. */
  hurry(): void {
    this.#worker?.hurry();
  }

  get #settings() {
    return this.#host.config.values.background;
  }

  #follow(): Promise<void> {
    return this.#change(async () => {
      const { enabled } = this.#settings;
      if (!enabled) return this.#end();
      if (this.#worker !== undefined || this.#isStopped) return;
      const { paths, webhooks, log } = this.#host;
      const storage = await this.#host.storage();
      this.#worker = await openWorker({
        paths,
        storage,
        settings: () => this.#settings,
        deliveriesFor: (event, payload) => webhooks.deliveriesFor(event, payload),
        onDeliveries: () => void webhooks.wake(),
        log,
        env: this.#env,
      });
      if (this.#isStarted) await this.#worker.start();
    });
  }

  async #end(): Promise<void> {
    await this.#worker?.[Symbol.asyncDispose]();
    this.#worker = undefined;
  }

  /** One after another: a worker that ends and the next one have the same files. */
  #change(work: () => Promise<void>): Promise<void> {
    const changed = this.#changing.then(work);
    this.#changing = changed.catch(() => undefined);
    return changed;
  }
}
