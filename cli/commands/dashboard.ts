import type { Command } from "#cli/command-line/command";
import { Option } from "#cli/command-line/option";
import { HermesError } from "#core/errors";
import { keepStderr } from "#core/stderr";
import type { CliContext } from "../context.ts";
import type { DashboardFlags } from "./dashboard/run.ts";

const EXAMPLES = `
Examples:
  hermes dashboard --open              start the dashboard and open it in a browser
  hermes dashboard --port 0            use a free port
  hermes dashboard --nats              show the events of all machines (docs/nats.md)
  hermes dashboard --link              print a new sign-in link of the running dashboard
  ssh -L 9119:127.0.0.1:9119 machine   watch another machine: open its link here

docs/dashboard.md describes the page, its security and the HTTP API.`;

/** `hermes dashboard` (CONTRACT §9). */
export function addDashboardCommand(program: Command, context: CliContext): void {
  program
    .command("dashboard")
    .description("Watch every hermes of this home in a browser. Runs until SIGTERM or Ctrl+C.")
    .option("--host <address>", "address to listen on (default: dashboard.host in config.yaml or 127.0.0.1)")
    .option("--port <n>", "port to listen on, 0 for a free one (default: dashboard.port or 9119)", portNumber)
    .option("--insecure", "allow an address that other machines can reach; traffic is not encrypted")
    .option("--nats", "also show the events of all machines that send to the stream forward.nats in config.yaml")
    .option("--open", "open a sign-in link in the browser")
    .addOption(
      new Option("--link", "print a new sign-in link of the running dashboard and exit").conflicts([
        "host",
        "port",
        "insecure",
        "nats",
      ]),
    )
    .option("--json", "print the address and the link as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: DashboardFlags, command: Command) => {
      keepStderr();
      const { printLink } = await import("./dashboard/link.ts");
      if (flags.link) return printLink(flags, command, context);
      const { runDashboard } = await import("./dashboard/run.ts");
      await runDashboard(flags, command, context);
    });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new HermesError("HERMES_USAGE", { problem: `--port takes a number from 0 to 65535, not "${text}".` });
}
