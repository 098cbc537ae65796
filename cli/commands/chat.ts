import type { Command } from "#cli/command-line/command";
import { Option } from "#cli/command-line/option";
import { agentHomes } from "#core/agent-mark";
import { HermesError } from "#core/errors";
import { inQuotes } from "#core/shell-quote";
import { keepStderr, wrapNotes } from "#core/stderr";
import type { CliContext } from "../context.ts";
import { refuseOptInInsideAgent } from "../inside-agent.ts";
import { wrapWords } from "../text-width.ts";
import { wholeNumber } from "../whole-number.ts";
import type { ChatRepl } from "../chat/chat-repl.ts";
import { OUTPUT_FORMATS, type OutputFormat, type ReasoningSwitch, type Renderer } from "../chat/renderers.ts";
import type { ChatScreen } from "../chat/screen/chat-screen.ts";
import { screenOutput } from "../chat/screen/screen-output.ts";
import type { TurnDisplay } from "../chat/turn-display.ts";
import type { Host } from "../host/host.ts";

const DEFAULT_WIDTH = 80;

interface ChatOptions {
  readonly query?: string;
  readonly queryFile?: string;
  readonly resume?: string | true;
  readonly continue?: true;
  readonly quiet?: true;
  readonly render: boolean;
  readonly maxTurns?: number;
  readonly instructions?: boolean;
  readonly outputFormat: OutputFormat;
}

const EXAMPLES = `
Examples:
  hermes --accept-hooks chat                            start a chat and approve the configured shell hooks
  hermes chat -q 'what is in this folder?'              run one turn
  git diff | hermes chat -q 'review this' -Q            use standard input as context; print only the answer
  hermes chat -c -q 'and the tests?'                    continue the latest session of this folder
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
    .option("-r, --resume [id]", "continue a session: an id, the start of one, or latest; without, choose from a list")
    .addOption(new Option("-c, --continue", "continue the latest session of this folder").conflicts("resume"))
    .option("-Q, --quiet", "print only the answer")
    .option("--no-render", "show answers as the model writes them, without rendering their Markdown")
    .option("--instructions", "follow AGENTS.md or CLAUDE.md of this project, now and later")
    .option("--no-instructions", "do not follow them in this run")
    .option("--max-turns <n>", "limit the model requests per turn", wholeNumber("--max-turns"))
    .addOption(new Option("--output-format <format>", "output format").choices(OUTPUT_FORMATS).default("text", "text"))
    .addHelpText("after", EXAMPLES)
    .action(async (options: ChatOptions, command: Command) => chat(options, command, context));
}

async function chat(options: ChatOptions, command: Command, context: CliContext): Promise<void> {
  prepareStderr();
  if (options.instructions === true) refuseOptInInsideAgent("--instructions", context.env);
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
  const { openTurnDisplay, watchHooks } = await import("../chat/turn-display.ts");
  const interactive = process.stdin.isTTY && process.stderr.isTTY;
  const mayAsk = interactive && agentHomes(context.env).length === 0;
  const questions = mayAsk ? (await import("../chat/questions.ts")).createQuestions(context.styled) : undefined;
  const { describeFirstStart, isFirstStart } = await import("../chat/first-start.ts");
  const isNew =
    interactive && !options.quiet && options.outputFormat === "text" && isFirstStart(context.paths(command));
  await using host = await createHost({
    context,
    globals: context.globals(command),
    paths: context.paths(command),
    surface: "cli",
    interactive,
    instructions: { flag: options.instructions, mayAsk, says: options.quiet !== true },
  });
  const verbose = { on: false };
  const isPlain = options.quiet === true || options.outputFormat !== "text";
  const display = isPlain ? undefined : openTurnDisplay({ context, verbose, isHere: true });
  watchHooks(host, context, display);
  const conversation = new ChatRepl(host, questions?.ask);
  if (isNew) context.note(describeFirstStart(host.model.describe()));
  if (options.resume !== undefined || options.continue === true) {
    const { resumeAtStart } = await import("../chat/resume-at-start.ts");
    const isTalk = interactive && message === undefined && !isPlain;
    await resumeAtStart({ wanted: options.resume, host, conversation, context, isTalk });
  }
  using screen = await openScreen(options, message, { host, conversation });
  const reasoning = { on: process.stdout.isTTY && process.stderr.isTTY };
  const renderer = await openRenderer(options, { host, context, display, screen, reasoning });
  const common = {
    host,
    conversation,
    context,
    renderer,
    reasoning,
    verbose,
    screen,
    maxIterations: options.maxTurns,
  };
  if (message === undefined) {
    const { runTerminal } = await import("../chat/terminal.ts");
    await runTerminal({ ...common, questions });
  } else {
    if (screen !== undefined) {
      const { readOnce } = await import("../chat/questions.ts");
      questions?.readThrough((prompt, signal) => screen.asking(() => readOnce(prompt, signal)));
    }
    const { runOnce } = await import("../chat/one-shot.ts");
    await runOnce({ ...common, message, structured: options.outputFormat !== "text" });
  }
  display?.end();
}

/** Also what is said before the screen opens, and after it closed, is broken between words. */
function prepareStderr(): void {
  keepStderr();
  wrapNotes((line) => wrapWords(line, process.stderr.columns || DEFAULT_WIDTH));
}

/** The screen of a conversation or a run on a terminal. The answer alone (`-Q`) is printed without one. */
async function openScreen(
  options: ChatOptions,
  message: string | undefined,
  { host, conversation }: { readonly host: Host; readonly conversation: ChatRepl },
): Promise<ChatScreen | undefined> {
  const isQuiet = options.quiet === true;
  // What reads a single run's answer from a pipe may write to the same terminal.
  const isPlain = message !== undefined && (isQuiet || !process.stdout.isTTY);
  const output = options.outputFormat === "text" && !isPlain ? screenOutput() : undefined;
  if (output === undefined) return undefined;
  const { ChatScreen } = await import("../chat/screen/chat-screen.ts");
  const { statusMeter } = await import("../chat/context-meter.ts");
  const meter = statusMeter(host, () => conversation.session?.id);
  return new ChatScreen(output, { typing: message === undefined, showsStatus: !isQuiet, meter });
}

interface Shown {
  readonly host: Host;
  readonly context: CliContext;
  readonly display: TurnDisplay | undefined;
  readonly screen: ChatScreen | undefined;
  readonly reasoning: ReasoningSwitch;
}

async function openRenderer(options: ChatOptions, shown: Shown): Promise<Renderer> {
  const { host, context, display, screen, reasoning } = shown;
  const { createRenderer } = await import("../chat/renderers.ts");
  const quiet = options.quiet === true;
  const streaming = () => host.dispatcher.mayStream();
  const base = { format: options.outputFormat, quiet, streaming, reasoning, display, context };
  if (screen === undefined) return createRenderer(base);
  const { screenAnswers, withActivity } = await import("../chat/screen/screen-answers.ts");
  const answers = screenAnswers(screen, context, options.render && !quiet);
  return withActivity(screen, createRenderer({ ...base, answers }), streaming, () => answers.prepare());
}
