import { Option, type Command } from "commander";
import { HermesError } from "#core/errors";
import { keepStderr, type CliContext } from "../context.ts";
import type { DashboardFlags } from "./dashboard/run.ts";

const EXAMPLES = `
Examples:
  hermes dashboard --open              start it, and sign a browser in
  hermes dashboard --port 0            start it on a port that is free
  hermes dashboard --link              a fresh sign-in link of the dashboard that runs
  ssh -L 9119:127.0.0.1:9119 machine   see a dashboard of another machine: then open its link here

docs/dashboard.md describes the page, what keeps others out, and the HTTP interface.`;

/** `hermes dashboard` (CONTRACT §9). */
export function addDashboardCommand(program: Command, context: CliContext): void {
  program
    .command("dashboard")
    .description("Watch the events of every hermes of this home in a browser, until SIGTERM or Ctrl+C.")
    .option("--host <address>", "listen there (default: dashboard.host in config.yaml, else 127.0.0.1)")
    .option("--port <n>", "and on this port; 0 is one that is free (default: dashboard.port, else 9119)", portNumber)
    .option("--insecure", "allow an address that other machines reach; what is shown travels unencrypted")
    .option("--open", "open the sign-in link in a browser")
    .addOption(
      new Option("--link", "print a fresh sign-in link of the dashboard that runs, and end").conflicts([
        "host",
        "port",
        "insecure",
      ]),
    )
    .option("--json", "print the address and the link as one JSON document")
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
