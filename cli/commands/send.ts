import type { Command } from "#cli/command-line/command";
import { EXIT, HermesError } from "#core/errors";
import type { Handled } from "#core/ports/inbox";
import type { DaemonEntry } from "#daemon/session/place";
import { DaemonClient } from "#daemon/session/client";
import { contentProblem } from "#daemon/session/wire";
import type { CliContext } from "../context.ts";
import { answerFromElsewhere, sendElsewhere } from "#cli/daemon/elsewhere";
import { checkedName, withRunningDaemon } from "#cli/daemon/find";
import { pipedText } from "#cli/daemon/piped-text";

const EXAMPLES = `
Examples:
  hermes send --name ci-watcher 'check the build'         store a message and print its id
  echo 'check the build' | hermes send --name ci-watcher  read it from standard input
  hermes send --name ci-watcher --wait 'any news?'        wait for the turn and print its answer`;

interface SendOptions {
  readonly name: string;
  readonly wait?: true;
  readonly json?: true;
}

/** `hermes send` (CONTRACT §13). */
export function addSendCommand(program: Command, context: CliContext): void {
  program
    .command("send")
    .description("Send a message to a daemon. It is stored when the command returns.")
    .argument("[text]", "the message; - reads standard input")
    .requiredOption("--name <name>", "the daemon")
    .option("--wait", "wait for the message's turn, and print its answer instead of the message's id")
    .option("--json", "print JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (text: string | undefined, options: SendOptions, command: Command) => {
      const name = checkedName(options.name, "hermes send --name ci-watcher 'check the build'");
      const content = await messageOf(text);
      await withRunningDaemon(name, command, context, async (found) => {
        if (found.kind === "here") return sendHere(found.entry, content, options, context);
        const id = await sendElsewhere(found, content);
        if (options.wait) printAnswer(id, await answerFromElsewhere(found, id), options, context);
        else printId(id, options, context);
      });
    });
}

async function sendHere(entry: DaemonEntry, content: string, options: SendOptions, context: CliContext): Promise<void> {
  using client = await DaemonClient.connect(entry);
  client.say({ type: "send", content, wait: options.wait === true });
  const { id } = await client.expect("stored");
  if (options.wait) printAnswer(id, await client.expect("handled"), options, context);
  else printId(id, options, context);
}

function printId(id: string, { json }: SendOptions, context: CliContext): void {
  if (json) context.json({ id });
  else context.out(id);
}

/** Throws HERMES_USAGE for a message that is empty or too long. */
async function messageOf(written: string | undefined): Promise<string> {
  const content = written === undefined || written === "-" ? await read() : written;
  const problem = contentProblem(content);
  if (problem === undefined) return content;
  const how = content.trim() === "" ? ": hermes send --name NAME 'a message', or pipe it into the command" : "";
  throw new HermesError("HERMES_USAGE", { problem: `Nothing was sent: ${problem}${how}.` });
}

async function read(): Promise<string> {
  try {
    return (await pipedText()) ?? "";
  } catch (error) {
    throw new HermesError(
      "HERMES_USAGE",
      { problem: `Nothing was sent: standard input: ${(error as Error).message}.` },
      { cause: error },
    );
  }
}

function printAnswer(id: string, { text, problem }: Handled, { json }: SendOptions, context: CliContext): void {
  if (json) {
    context.json({ id, text, error: problem });
    if (problem !== null) context.exit(EXIT.failed);
    return;
  }
  if (problem !== null) throw new HermesError("HERMES_DAEMON_TURN", { problem });
  if (text !== null && text !== "") context.out(text);
}
