import type { Command } from "#cli/command-line/command";
import { EXIT } from "#core/errors";
import type { CliContext } from "#cli/context";
import { taskId, withTasks } from "#cli/tasks/home";
import { TaskWatch } from "#cli/tasks/watch";

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
    using watch = new TaskWatch(context);
    for (;;) {
      const task = await store.get(id);
      if (task === undefined || task.exit_code !== null) return context.exit(task?.exit_code ?? 1);
      if (performance.now() >= deadline) return context.exit(EXIT.timeout);
      if (!(await watch.untilNext(task))) return;
    }
  });
}
