import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import { EXIT } from "#core/errors";
import type { Task } from "#core/ports/tasks";
import type { CliContext } from "#cli/context";
import { taskId, withTasks } from "#cli/tasks/home";

const LOOK_MS = 200;

/** `hermes tasks wait ID` */
export function waitForTask(
  written: string,
  timeoutSeconds: number | undefined,
  command: Command,
  context: CliContext,
): Promise<void> {
  return withTasks(command, context, async ({ store }) => {
    const id = await taskId(written, store);
    const deadline = performance.now() + (timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000;
    let said = "";
    for (;;) {
      const task = await store.get(id);
      if (task === undefined || task.exit_code !== null) return context.exit(task?.exit_code ?? 1);
      if (performance.now() >= deadline) return context.exit(EXIT.timeout);
      const state = describe(task);
      if (process.stderr.isTTY && state !== said) context.faint(state);
      said = state;
      await pause(LOOK_MS);
    }
  });
}

function describe({ status, position, attempt }: Task): string {
  const place = position === null ? "" : `, number ${position} in the queue`;
  return `${status}${place}${attempt > 1 ? `, attempt ${attempt}` : ""}`;
}
