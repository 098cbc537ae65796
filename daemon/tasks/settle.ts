/** Finds tasks that are said to be running although their process is gone, and decides what becomes of them. */
import type { Reports, RunningTask, TaskResult, TaskStore } from "#core/ports/tasks";

export interface SettleOptions {
  /** Whether a task whose process was killed is run once more (`background.persist_on_restart`). */
  readonly persist: boolean;
  readonly reports: Reports;
  /** The tasks that are said to be running, where the caller has just listed them. */
  readonly running?: readonly RunningTask[] | undefined;
}

const LOST: TaskResult = {
  status: "lost",
  exit_code: 1,
  ended_by: "crash",
  error: "its process ended without a result (killed, or the machine was restarted)",
};
/** The end of a task that a user has cancelled. */
export const CANCELLED: TaskResult = { status: "cancelled", exit_code: 130, ended_by: "user", error: null };

/** Queues each such task once more, or ends it as lost. Resolves with how many there were. */
export async function settleTasks(store: TaskStore, { running, ...options }: SettleOptions): Promise<number> {
  let settled = 0;
  for (const task of running ?? (await store.running())) {
    if (task.isAlive) continue;
    settled++;
    await settle(store, task, options);
  }
  return settled;
}

async function settle(store: TaskStore, task: RunningTask, { persist, reports }: SettleOptions): Promise<void> {
  const { id, attempt } = task;
  if (task.cancelRequested) await store.end(id, attempt, CANCELLED, reports);
  else if (persist && task.mayBeTakenUp && !task.isForeground) await store.putBack(id, attempt, "crash");
  else await store.end(id, attempt, LOST, reports);
}
