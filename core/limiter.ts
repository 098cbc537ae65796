/** Runs at most `most` tasks at a time, in order of arrival. */
export interface Limiter {
  /** Returns the task's own promise; the task starts once a slot is free. */
  run<Value>(task: () => Promise<Value>): Promise<Value>;
  /** Resolves when no task is running or waiting. */
  idle(): Promise<void>;
}

export function createLimiter(most: number): Limiter {
  const waiting: (() => void)[] = [];
  let idlers: (() => void)[] = [];
  let running = 0;

  async function run<Value>(task: () => Promise<Value>): Promise<Value> {
    if (running >= most) await new Promise<void>((start) => waiting.push(start));
    else running++;
    try {
      return await task();
    } finally {
      leave();
    }
  }

  /** Gives the slot to the next task, or frees it. */
  function leave(): void {
    const start = waiting.shift();
    if (start !== undefined) return start();
    running--;
    if (running > 0) return;
    for (const wake of idlers) wake();
    idlers = [];
  }

  async function idle(): Promise<void> {
    if (running > 0) await new Promise<void>((wake) => idlers.push(wake));
  }

  return { run, idle };
}
