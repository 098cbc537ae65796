import type { Command } from "#cli/command-line/command";
import { Option } from "#cli/command-line/option";
import { HermesError } from "#core/errors";
import { demandFor } from "#core/home/demands";
import type { CliContext } from "../context.ts";

/** `hermes worker` (CONTRACT §10). */
export function addWorkerCommand(program: Command, context: CliContext): void {
  program
    .command("worker")
    .description("Run the tasks of `hermes run --background` and send webhooks, until it is stopped.")
    .addOption(new Option("--until-idle", "end when there has been nothing to do for 10 s").hideHelp())
    .action(async ({ untilIdle }: { untilIdle?: true }, command: Command) => {
      const { withTasks } = await import("../tasks/home.ts");
      const { runWorker } = await import("../tasks/run-worker.ts");
      await withTasks(
        command,
        context,
        async (home) => {
          if (!home.config.values.background.enabled) throw new HermesError("HERMES_BACKGROUND_OFF", {});
          demandFor("worker", home.config);
          await runWorker({ home, context, globals: context.globals(command), untilIdle: untilIdle === true });
        },
        { creates: true },
      );
    });
}
