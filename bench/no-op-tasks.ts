/** Tasks that do nothing, and processes that run them, for the cases about PostgreSQL. */
import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";

const WORKER = join(import.meta.dirname, "postgres-worker.ts");
/** Submitted at a time, as by several people. */
const SUBMITTERS = 4;

export const NO_OP = {
  prompt: "analyze this codebase",
  cwd: "/",
  idempotencyKey: null,
  runner: null,
  maxTurns: null,
  timeout: 0,
  submittedOn: "cli",
};

/** Workers of one kind, each in a process of its own. */
export class Workers implements Disposable {
  readonly #children: readonly ChildProcess[];
  #ended = 0;
  #waiting: { readonly count: number; readonly resolve: () => void } | undefined;

  constructor(kind: "hermes" | "pg-boss", url: string, count: number) {
    this.#children = Array.from({ length: count }, () => {
      const child = fork(WORKER, [kind, url]);
      child.on("message", () => {
        this.#ended++;
        if (this.#waiting !== undefined && this.#ended >= this.#waiting.count) this.#waiting.resolve();
      });
      return child;
    });
  }

  say(word: "go" | "rest"): void {
    for (const child of this.#children) child.send(word);
  }

  /** Resolves when so many tasks have ended since the last call. */
  async ended(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { count, resolve };
    if (this.#ended >= count) resolve();
    await promise;
    if (this.#ended > count) throw new Error(`${this.#ended} tasks ended of ${count}`);
    this.#ended = 0;
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.disconnect();
  }
}

/** Milliseconds from the first submission of so many tasks until all have ended. */
export async function timeOf(tasks: number, submit: () => Promise<unknown>, workers: Workers): Promise<number> {
  workers.say("go");
  const started = performance.now();
  let left = tasks;
  const submitNext = async () => {
    while (left-- > 0) await submit();
  };
  await Promise.all([...Array.from({ length: SUBMITTERS }, submitNext), workers.ended(tasks)]);
  const took = performance.now() - started;
  workers.say("rest");
  return took;
}
