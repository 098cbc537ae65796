import { Option, type Command } from "commander";
import { agentHomes } from "#core/agent-mark";
import { HermesError } from "#core/errors";
import { inQuotes } from "#core/shell-quote";
import { keepStderr } from "#core/stderr";
import type { CliContext } from "../context.ts";
import { wholeNumber } from "../whole-number.ts";
import { OUTPUT_FORMATS, type OutputFormat } from "../chat/renderers.ts";

interface ChatOptions {
  readonly query?: string;
  readonly queryFile?: string;
  readonly resume?: string;
  readonly continue?: true;
  readonly quiet?: true;
  readonly maxTurns?: number;
  readonly outputFormat: OutputFormat;
}

const EXAMPLES = `
Examples:
  hermes --accept-hooks chat                            start a chat and approve the configured shell hooks
  hermes chat -q 'what is in this folder?'              run one turn
  git diff | hermes chat -q 'review this' -Q            use standard input as context; print only the answer
  hermes chat -c -q 'and the tests?'                    continue the latest session
  hermes chat -q 'run \`ls\`' --output-format stream-json print JSON lines, including hook runs`;

/** `hermes chat` (CONTRACT §3). */
export function addChatCommand(program: Command, context: CliContext): void {
  program
    .command("chat")
    // Words without -q are the most common mistake, so they have their own message.
    .allowExcessArguments()
    .description("Chat with the agent on the terminal, or run a single turn with -q or a pipe.")
    .option("-q, --query <text>", "send this message, print the answer and exit")
    .addOption(
      new Option("--query-file <file>", "like -q, but read the message from a file; - is standard input").conflicts(
        "query",
      ),
    )
    .option("-r, --resume <id>", "continue a session: an id, the start of one, or latest")
    .addOption(new Option("-c, --continue", "continue the latest session").conflicts("resume"))
    .option("-Q, --quiet", "print only the answer")
    .option("--max-turns <n>", "limit the model requests per turn", wholeNumber("--max-turns"))
    .addOption(new Option("--output-format <format>", "output format").choices(OUTPUT_FORMATS).default("text", "text"))
    .addHelpText("after", EXAMPLES)
    .action(async (options: ChatOptions, command: Command) => chat(options, command, context));
}

async function chat(options: ChatOptions, command: Command, context: CliContext): Promise<void> {
  keepStderr();
  if (command.args.length > 0) {
    const problem = `Pass the message with -q: hermes chat -q ${inQuotes(command.args.join(" "))}`;
    throw new HermesError("HERMES_USAGE", { problem });
  }
  const { readFirstMessage } = await import("../chat/message.ts");
  const message = await readFirstMessage(options, context.note);
  if (message === undefined && options.outputFormat !== "text") {
    throw new HermesError("HERMES_USAGE", {
      problem: "--output-format json and stream-json need a message (-q or standard input).",
    });
  }
  const { createHost } = await import("../compose.ts");
  const { ChatRepl } = await import("../chat/chat-repl.ts");
  const { createRenderer } = await import("../chat/renderers.ts");
  const { openTurnDisplay, watchHooks } = await import("../chat/turn-display.ts");
  const interactive = process.stdin.isTTY && process.stderr.isTTY;
  const mayAsk = interactive && agentHomes(context.env).length === 0;
  const questions = mayAsk ? (await import("../chat/questions.ts")).createQuestions(context.note) : undefined;
  const { describeFirstStart, isFirstStart } = await import("../chat/first-start.ts");
  const isNew =
    interactive && !options.quiet && options.outputFormat === "text" && isFirstStart(context.paths(command));
  await using host = await createHost({
    context,
    globals: context.globals(command),
    paths: context.paths(command),
    surface: "cli",
    interactive,
  });
  const verbose = { on: false };
  const isPlain = options.quiet === true || options.outputFormat !== "text";
  const display = isPlain ? undefined : openTurnDisplay({ context, verbose, isHere: true });
  watchHooks(host, context, display);
  const conversation = new ChatRepl(host, questions?.ask);
  if (isNew) context.note(describeFirstStart(host.model.describe()));
  if (options.resume !== undefined || options.continue) conversation.resume(options.resume ?? "latest");
  const reasoning = { on: process.stdout.isTTY && process.stderr.isTTY };
  const renderer = createRenderer({
    format: options.outputFormat,
    quiet: options.quiet === true,
    streaming: () => host.dispatcher.mayStream(),
    reasoning,
    display,
    context,
  });
  const common = { host, conversation, context, renderer, reasoning, verbose, maxIterations: options.maxTurns };
  if (message === undefined) {
    const { runTerminal } = await import("../chat/terminal.ts");
    await runTerminal({ ...common, questions });
  } else {
    const { runOnce } = await import("../chat/one-shot.ts");
    await runOnce({ ...common, message, structured: options.outputFormat !== "text" });
  }
  display?.end();
}
