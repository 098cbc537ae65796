import { Option, type Command } from "commander";
import { HermesError } from "#core/errors";
import { keepStderr, type CliContext } from "../context.ts";
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
  hermes --accept-hooks chat                            a conversation; configured shell hooks are approved
  hermes chat -q 'what is in this folder?'              one turn
  git diff | hermes chat -q 'review this' -Q            standard input is the context of -q; the answer alone
  hermes chat -c -q 'and the tests?'                    go on with the last session
  hermes chat -q 'run \`ls\`' --output-format stream-json  one JSON object a line, hooks included`;

/** `hermes chat` (CONTRACT §3). */
export function addChatCommand(program: Command, context: CliContext): void {
  program
    .command("chat")
    // Words without -q are the commonest slip: they get an answer of their own.
    .allowExcessArguments()
    .description("Talk with the agent: a conversation on a terminal, one turn with -q or on a pipe.")
    .option("-q, --query <text>", "say this, answer, end")
    .addOption(new Option("--query-file <file>", "like -q, from a file; - is standard input").conflicts("query"))
    .option("-r, --resume <id>", "go on with this session (an id, its beginning, or latest)")
    .addOption(new Option("-c, --continue", "go on with the latest session").conflicts("resume"))
    .option("-Q, --quiet", "print the answer alone")
    .option("--max-turns <n>", "requests to the model in a turn", wholeNumber("--max-turns"))
    .addOption(
      new Option("--output-format <format>", "how the turn is printed").choices(OUTPUT_FORMATS).default("text", "text"),
    )
    .addHelpText("after", EXAMPLES)
    .action(async (options: ChatOptions, command: Command) => chat(options, command, context));
}

async function chat(options: ChatOptions, command: Command, context: CliContext): Promise<void> {
  keepStderr();
  if (command.args.length > 0) {
    const words = command.args.join(" ").replaceAll("'", `'\\''`);
    const problem = `The message stands behind -q: hermes chat -q '${words}'`;
    throw new HermesError("HERMES_USAGE", { problem });
  }
  const { readFirstMessage } = await import("../chat/message.ts");
  const message = await readFirstMessage(options, context.note);
  if (message === undefined && options.outputFormat !== "text") {
    throw new HermesError("HERMES_USAGE", {
      problem: "--output-format other than text needs a message (-q or standard input).",
    });
  }
  const { createHost } = await import("../compose.ts");
  const { ChatRepl } = await import("../chat/chat-repl.ts");
  const { createRenderer } = await import("../chat/renderers.ts");
  const { noticeOf } = await import("../chat/notices.ts");
  const { SLASH_COMMAND_NAMES } = await import("../chat/slash-commands.ts");
  const interactive = process.stdin.isTTY && process.stderr.isTTY;
  const questions = interactive ? (await import("../chat/questions.ts")).createQuestions(context.note) : undefined;
  await using host = await createHost({
    context,
    globals: context.globals(command),
    paths: context.paths(command),
    surface: "cli",
    interactive,
    ask: questions?.ask,
    commandNames: SLASH_COMMAND_NAMES,
  });
  host.dispatcher.sinks.add((run) => {
    const notice = noticeOf(run);
    if (notice !== undefined) context.note(notice);
  });
  const conversation = new ChatRepl(host);
  if (options.resume !== undefined || options.continue) conversation.resume(options.resume ?? "latest");
  const renderer = createRenderer({
    format: options.outputFormat,
    quiet: options.quiet === true,
    streaming: () => host.dispatcher.hooksOf("transform_llm_output").length === 0,
    context,
  });
  const common = { host, conversation, context, renderer, maxIterations: options.maxTurns };
  if (message === undefined) {
    const { runTerminal } = await import("../chat/terminal.ts");
    await runTerminal({ ...common, questions });
  } else {
    const { runOnce } = await import("../chat/one-shot.ts");
    await runOnce({ ...common, message, structured: options.outputFormat !== "text" });
  }
}
