import type { Command } from "#cli/command-line/command";
import { Option } from "#cli/command-line/option";
import { HermesError } from "#core/errors";
import type { DaemonEntry } from "#daemon/session/place";
import { DaemonClient } from "#daemon/session/client";
import { createRenderer } from "../chat/renderers.ts";
import { openTurnDisplay } from "../chat/turn-display.ts";
import type { CliContext } from "../context.ts";
import { checkedName, withRunningDaemon } from "#cli/daemon/find";
import { interruptible } from "../shutdown.ts";

const EXAMPLES = `
Examples:
  hermes attach --name ci-watcher                          watch it; Ctrl+C leaves it running
  hermes attach --name ci-watcher --format jsonl | jq .    its frames as JSON lines`;

interface AttachOptions {
  readonly name: string;
  readonly format: "text" | "jsonl";
}

/** `hermes attach` (CONTRACT §13). */
export function addAttachCommand(program: Command, context: CliContext): void {
  program
    .command("attach")
    .description("Watch a daemon from now on. Ctrl+C leaves it running.")
    .requiredOption("--name <name>", "the daemon")
    .addOption(new Option("--format <format>", "output format").choices(["text", "jsonl"]).default("text", "text"))
    .addHelpText("after", EXAMPLES)
    .action(async (options: AttachOptions, command: Command) => {
      const name = checkedName(options.name, "hermes attach --name ci-watcher");
      await withRunningDaemon(name, command, context, async (found) => {
        if (found.kind === "here") return attach(found.entry, options.format, context);
        const { host, pid } = found.daemon;
        throw new HermesError("HERMES_DAEMON_ELSEWHERE", { name, host, pid, command: "hermes attach" });
      });
    });
}

async function attach(entry: DaemonEntry, format: AttachOptions["format"], context: CliContext): Promise<void> {
  const { name } = entry;
  using client = await DaemonClient.connect(entry);
  client.say({ type: "attach" });
  await client.expect("attached");
  context.note(`Attached to "${name}". Press Ctrl+C to leave it running.`);
  const hasEnded = await interruptible((signal) => show(client, format, signal, context));
  if (hasEnded) context.note(`The daemon "${name}" has stopped.`);
}

/** Resolves with true when the daemon has closed the connection. */
async function show(
  client: DaemonClient,
  format: AttachOptions["format"],
  signal: AbortSignal,
  context: CliContext,
): Promise<boolean> {
  const renderer = createRenderer({
    format: format === "jsonl" ? "stream-json" : "text",
    quiet: false,
    // What the daemon's hooks may still change arrives here as the daemon shows it.
    streaming: () => false,
    reasoning: { on: false },
    display: openTurnDisplay({ context, verbose: { on: false }, isHere: false }),
    context,
  });
  signal.addEventListener("abort", () => client[Symbol.dispose](), { once: true });
  for (let answer = await client.next(); answer !== undefined; answer = await client.next()) {
    if (answer.type === "frame") renderer.show(answer.frame);
  }
  renderer.finish();
  return !signal.aborted;
}
