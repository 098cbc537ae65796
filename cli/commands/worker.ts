import type { Command } from "#cli/command-line/command";
import { Option } from "#cli/command-line/option";
import { HermesError } from "#core/errors";
import { demandFor } from "#core/home/demands";
import type { CliContext } from "../context.ts";
import { tagList } from "../tasks/tags.ts";
import { wholeNumber } from "../whole-number.ts";

const EXAMPLES = `
Examples:
  hermes worker                                run tasks without a tag
  hermes worker --tags gpu --concurrency 2     also those of "hermes run --background --tag gpu", two at a time`;

interface WorkerOptions {
  readonly untilIdle?: true;
  readonly concurrency?: number;
  readonly tags?: readonly string[];
}

/** `hermes worker` (CONTRACT §10). */
export function addWorkerCommand(program: Command, context: CliContext): void {
  program
    .command("worker")
    .description("Run the tasks of `hermes run --background` and send webhooks, until it is stopped.")
    .option(
      "--concurrency <n>",
      "tasks at a time; background.max_concurrent also limits them",
      wholeNumber("--concurrency"),
    )
    .option("--tags <tags>", "also take tasks with one of these tags: gpu,repo-x", tagList("--tags"))
    .addHelpText("after", EXAMPLES)
    .addOption(new Option("--until-idle", "end when there has been nothing to do for 10 s").hideHelp())
    .action(async ({ untilIdle, concurrency, tags }: WorkerOptions, command: Command) => {
      const { withTasks } = await import("../tasks/home.ts");
      const { runWorker } = await import("../tasks/run-worker.ts");
      await withTasks(
        command,
        context,
        async (home) => {
          if (!home.config.values.background.enabled) throw new HermesError("HERMES_BACKGROUND_OFF", {});
          demandFor("worker", home.config);
          const globals = context.globals(command);
          await runWorker({ home, context, globals, untilIdle: untilIdle === true, tags, concurrency });
        },
        { creates: true, waits: true },
      );
    });
}
