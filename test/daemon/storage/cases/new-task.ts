import type { NewTask } from "#core/ports/tasks";

/** A task for a worker, without anything special. */
export const NEW_TASK: NewTask = {
  prompt: "p",
  cwd: "/",
  maxTurns: null,
  timeout: 0,
  submittedOn: "cli",
  idempotencyKey: null,
  runner: null,
};
