/** The port of the workers that live. */

/** A worker as people see it (CONTRACT §16); times are ISO-8601, UTC. */
export interface Worker {
  readonly id: string;
  /** The name of its machine. */
  readonly host: string;
  readonly pid: number;
  /** The tags of tasks that it takes beside those without one. */
  readonly tags: readonly string[];
  /** How many tasks it runs at a time. */
  readonly concurrency: number;
  /** How many it runs now. */
  readonly running: number;
  readonly started_at: string;
  readonly last_heartbeat: string;
}

export type NewWorker = Pick<Worker, "tags" | "concurrency">;

export interface WorkerStore {
  /**
   * Lists this process from now on, with a heartbeat every few seconds, until it is disposed of. Never rejects: a store
   * that is away is told later.
   */
  register(worker: NewWorker): Promise<AsyncDisposable>;
  /** Those that live, the oldest first: one that is gone, or has been silent for 30 s, is not among them. */
  list(): Promise<readonly Worker[]>;
}
