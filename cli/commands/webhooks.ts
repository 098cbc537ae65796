import type { Command } from "#cli/command-line/command";
import { Option } from "#cli/command-line/option";
import type { CliContext } from "../context.ts";
import { duration } from "../duration.ts";
import { wholeNumber } from "../whole-number.ts";
import type { DeliveriesOptions } from "./webhooks/deliveries.ts";
import type { RedeliverOptions } from "./webhooks/send.ts";

const EXAMPLES = `
Examples:
  hermes webhooks list                    list the endpoints and what is pending or failed
  hermes webhooks test task_completed     send a sample to an endpoint now
  hermes webhooks deliveries --failed     list what could not be delivered
  hermes webhooks redeliver --failed --since 1h`;

interface JsonOption {
  readonly json?: true;
}

/** `hermes webhooks list|deliveries|show|redeliver|test|enable` (CONTRACT §11). */
export function addWebhooksCommand(program: Command, context: CliContext): void {
  const webhooks = program
    .command("webhooks")
    .description("List and test webhooks, see what was delivered, and send it again.")
    .addHelpText("after", EXAMPLES);
  webhooks
    .command("list")
    .description("list the endpoints")
    .option("--json", "print JSON")
    .action(async (options: JsonOption, command: Command) => {
      const { listEndpoints } = await import("./webhooks/list.ts");
      await listEndpoints(options.json === true, command, context);
    });
  webhooks
    .command("deliveries")
    .description("list the deliveries, newest first")
    .addOption(new Option("--failed", "only failed ones").conflicts("pending"))
    .option("--pending", "only pending ones")
    .option("--endpoint <name>", "only those for an endpoint")
    .option("--limit <n>", "number of deliveries", wholeNumber("--limit"), 50)
    .option("--json", "print JSON")
    .action(async (options: DeliveriesOptions, command: Command) => {
      const { listDeliveries } = await import("./webhooks/deliveries.ts");
      await listDeliveries(options, command, context);
    });
  webhooks
    .command("show")
    .description("show a delivery with its payload and all attempts")
    .argument("<id>", "the delivery's id, or its beginning")
    .option("--json", "print JSON")
    .action(async (id: string, options: JsonOption, command: Command) => {
      const { showDelivery } = await import("./webhooks/deliveries.ts");
      await showDelivery(id, options.json === true, command, context);
    });
  addSending(webhooks, context);
  webhooks
    .command("enable")
    .description("switch on an endpoint again that answered 410")
    .argument("<name>", "the endpoint's name, as in the list")
    .action(async (name: string, _options: unknown, command: Command) => {
      const { enableEndpoint } = await import("./webhooks/list.ts");
      await enableEndpoint(name, command, context);
    });
}

function addSending(webhooks: Command, context: CliContext): void {
  webhooks
    .command("redeliver")
    .description("send ended deliveries again; exits with 1 if one is not delivered")
    .argument("[id]", "the delivery's id, or its beginning")
    .option("--failed", "all that failed")
    .option(
      "--since <duration>",
      "with --failed: those that failed in the last 90s, 30m, 12h or 7d",
      duration("--since"),
    )
    .option("--json", "print JSON")
    .action(async (id: string | undefined, options: RedeliverOptions, command: Command) => {
      const { redeliver } = await import("./webhooks/send.ts");
      await redeliver(id, options, command, context);
    });
  webhooks
    .command("test")
    .description("send a sample to an endpoint once, now; exits with 1 if it is not delivered")
    .argument("<name>", "the endpoint's name, as in the list")
    .option("--json", "print JSON")
    .action(async (name: string, options: JsonOption, command: Command) => {
      const { testEndpoint } = await import("./webhooks/send.ts");
      await testEndpoint(name, options.json === true, command, context);
    });
}
