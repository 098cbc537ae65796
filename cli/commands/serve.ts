import type { Command } from "#cli/command-line/command";
import { HermesError } from "#core/errors";
import { keepStderr } from "#core/stderr";
import type { CliContext } from "../context.ts";
import type { UnitFlags } from "../serve/print-unit.ts";
import type { ServeFlags } from "../serve/run.ts";

const EXAMPLES = `
Examples:
  hermes serve                          run everything that config.yaml switches on, until Ctrl+C
  hermes --accept-hooks serve           the same, and approve the configured shell hooks
  hermes serve --print-unit --user bot  print a unit for systemd that runs it as the user bot

docs/service.md explains the unit line by line, upgrades, and what happens when something fails.`;

/** `hermes serve` (CONTRACT §12). */
export function addServeCommand(program: Command, context: CliContext): void {
  program
    .command("serve")
    .description(
      "Run the gateway, a worker for background tasks, the dashboard and monitoring in one process. Runs until SIGTERM or Ctrl+C.",
    )
    .option("--print-unit", "print a unit for systemd and exit")
    .option("--user <name>", "with --print-unit: the user that the service runs as")
    .option("--insecure", "allow a dashboard that other machines can reach; its traffic is not encrypted")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: ServeFlags & UnitFlags & { readonly printUnit?: true }, command: Command) => {
      if (flags.printUnit) {
        const { printUnit } = await import("../serve/print-unit.ts");
        return printUnit(flags, command, context);
      }
      if (flags.user !== undefined) throw new HermesError("HERMES_USAGE", { problem: "--user needs --print-unit." });
      keepStderr();
      const { runServe } = await import("../serve/run.ts");
      await runServe(flags, command, context);
    });
}
