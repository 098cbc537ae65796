import type { Command } from "#cli/command-line/command";
import type { CliContext } from "../context.ts";
import { numberOrAll } from "../whole-number.ts";
import type { InboundLogOptions } from "./inbound/log.ts";
import type { InboundTestOptions } from "./inbound/test.ts";

const EXAMPLES = `
Examples:
  hermes inbound list                                        list the hooks and whether they may run
  hermes inbound test github-push --payload push.json --sign run a hook's script with a payload
  hermes inbound log --follow                                show each request as it is answered`;

/** `hermes inbound list|test|log` (CONTRACT §13). */
export function addInboundCommand(program: Command, context: CliContext): void {
  const inbound = program
    .command("inbound")
    .description("List and test the webhooks that daemons receive, and see what came.")
    .addHelpText("after", EXAMPLES);
  inbound
    .command("list")
    .description("list the configured hooks and whether their scripts may run")
    .option("--json", "print JSON")
    .action(async (options: { json?: true }, command: Command) => {
      const { listInbound } = await import("./inbound/list.ts");
      await listInbound(options.json === true, command, context);
    });
  inbound
    .command("test")
    .description(
      "send a payload through a hook, approved or not, and show what it would inject; exits with 1 if it fails",
    )
    .argument("<name>", "the hook's name")
    .requiredOption("--payload <file>", "the body of the request; - reads standard input")
    .option("--sign", "sign it as the sender would")
    .option("--json", "print JSON")
    .action(async (name: string, options: InboundTestOptions, command: Command) => {
      const { testInbound } = await import("./inbound/test.ts");
      await testInbound(name, options, command, context);
    });
  inbound
    .command("log")
    .description("show the last requests, newest last")
    .option("-f, --follow", "print new requests until Ctrl+C")
    .option("--limit <n>", "number of past requests, 0 for all", numberOrAll("--limit"), 50)
    .option("--json", "print JSON; with --follow, one object per line")
    .action(async (options: InboundLogOptions, command: Command) => {
      const { showInboundLog } = await import("./inbound/log.ts");
      await showInboundLog(options, command, context);
    });
}
