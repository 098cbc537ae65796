import type { Command } from "#cli/command-line/command";
import { Option } from "#cli/command-line/option";
import { TASK_STATUSES, type TaskStatus } from "#core/ports/tasks";
import type { CliContext } from "../context.ts";
import { duration } from "../duration.ts";
import { wholeNumber } from "../whole-number.ts";
import type { OutputOptions } from "./tasks/output.ts";

const EXAMPLES = `
Examples:
  hermes tasks list --status failed     list the tasks that failed
  hermes tasks output 4f2a --follow     show what a task prints, until it ends
  hermes tasks wait 4f2a && echo done   wait for a task; ends with its exit code

The beginning of an id is enough, from 4 characters on.`;

interface JsonOption {
  readonly json?: true;
}

/** `hermes tasks list|status|output|wait|cancel|retry|prune` (CONTRACT §10). */
export function addTasksCommand(program: Command, context: CliContext): void {
  const tasks = program
    .command("tasks")
    .description("List, follow, cancel and repeat tasks.")
    .addHelpText("after", EXAMPLES);
  tasks
    .command("list")
    .description("list the tasks, newest first")
    .addOption(new Option("--status <status>", "only tasks with this status").choices(TASK_STATUSES))
    .option("--limit <n>", "number of tasks", wholeNumber("--limit"), 50)
    .option("--json", "print JSON")
    .action(async (options: JsonOption & { status?: TaskStatus; limit: number }, command: Command) => {
      const { listTasks } = await import("./tasks/list.ts");
      await listTasks(options, command, context);
    });
  tasks
    .command("status")
    .description("show a task")
    .argument("<id>", "the task's id")
    .option("--json", "print JSON")
    .action(async (id: string, options: JsonOption, command: Command) => {
      const { showTask } = await import("./tasks/list.ts");
      await showTask(id, options.json === true, command, context);
    });
  addWatching(tasks, context);
  tasks
    .command("cancel")
    .description("stop a task, or take it out of the queue; returns when it has ended")
    .argument("<id>", "the task's id")
    .action(async (id: string, _options: unknown, command: Command) => {
      const { cancelTask } = await import("./tasks/change.ts");
      await cancelTask(id, command, context);
    });
  tasks
    .command("retry")
    .description("run an ended task again")
    .argument("<id>", "the task's id")
    .action(async (id: string, _options: unknown, command: Command) => {
      const { retryTask } = await import("./tasks/change.ts");
      await retryTask(id, command, context);
    });
  tasks
    .command("prune")
    .description("delete ended tasks and their output")
    .option(
      "--older-than <duration>",
      "tasks that ended longer ago: 90s, 30m, 12h, 7d (default: 30d)",
      duration("--older-than"),
    )
    .action(async (options: { olderThan?: number }, command: Command) => {
      const { pruneTasks } = await import("./tasks/change.ts");
      await pruneTasks(options.olderThan, command, context);
    });
}

function addWatching(tasks: Command, context: CliContext): void {
  tasks
    .command("output")
    .description("show what a task has printed")
    .argument("<id>", "the task's id")
    .option("-f, --follow", "go on until the task ends, and end with its exit code")
    .option("--tail <n>", "only the last lines", wholeNumber("--tail"))
    .addOption(
      new Option("--output-format <format>", "output format").choices(["text", "stream-json"]).default("text", "text"),
    )
    .action(async (id: string, options: OutputOptions, command: Command) => {
      const { showOutput } = await import("./tasks/output.ts");
      await showOutput(id, options, command, context);
    });
  tasks
    .command("wait")
    .description("wait for a task; ends with its exit code, with 124 when the wait is over first")
    .argument("<id>", "the task's id")
    .option("--timeout <s>", "wait this many seconds at most", wholeNumber("--timeout"))
    .action(async (id: string, options: { timeout?: number }, command: Command) => {
      const { waitForTask } = await import("./tasks/wait.ts");
      await waitForTask(id, options.timeout, command, context);
    });
}
