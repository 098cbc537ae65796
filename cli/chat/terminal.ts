/** A conversation on a terminal. */
import { EXIT } from "#core/errors";
import type { Frame } from "#core/frames";
import type { TurnProgress } from "#core/ports/agent";
import type { Host } from "../host/host.ts";
import type { CliContext } from "../context.ts";
import { createShutdown, onStopSignal } from "../shutdown.ts";
import type { ChatRepl } from "./chat-repl.ts";
import type { InputLine, ReadAnswer } from "./input-line.ts";
import { MessageHistory } from "./message-history.ts";
import type { Questions } from "./questions.ts";
import type { ReasoningSwitch, Renderer } from "./renderers.ts";
import { parseSlash } from "#core/command-events";
import type { ChatScreen } from "./screen/chat-screen.ts";
import { howToContinue } from "./resumed.ts";
import { runSlash, type AfterCommand } from "./slash-commands.ts";
import { TurnQueue, type TurnControl } from "./turn-queue.ts";
import type { VerboseSwitch } from "./tool-view.ts";
import { shellOutput } from "./terminal-output.ts";

export interface TerminalConversation {
  readonly host: Host;
  readonly conversation: ChatRepl;
  readonly context: CliContext;
  readonly renderer: Renderer;
  readonly reasoning: ReasoningSwitch;
  readonly verbose: VerboseSwitch;
  readonly maxIterations: number | undefined;
  /** Questions of hooks are asked on the same line that the user types on. */
  readonly questions?: Questions | undefined;
  /** What is drawn on; undefined where rows cannot be drawn over. */
  readonly screen?: ChatScreen | undefined;
}

/** A second Ctrl+C within this time ends the program (CONTRACT §3). */
const TWICE_MS = 2000;

/** Runs the conversation until the user ends it. Sets the exit code: 0, or 130 and 143 after a signal. */
export async function runTerminal(options: TerminalConversation): Promise<void> {
  const { host, conversation, context, screen } = options;
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  const { provider, id } = host.model.describe();
  const welcome = `${id} (${provider}). Type /help for commands, Ctrl+D to exit.`;
  if (screen === undefined) context.faint(welcome);
  else screen.printFaint(welcome);
  const history = new MessageHistory(host.paths.history, (sentence) => host.log.warn(sentence));
  const lines = await openLine(options, history);
  const ask: ReadAnswer = (question, signal) => {
    const answer = () => lines.answer(question, signal);
    return screen === undefined ? answer() : screen.asking(answer);
  };
  options.questions?.readThrough(ask);
  const turns = new TurnQueue({
    ...options,
    lines,
    run: async (text, control) => {
      const after = await obey(options, text, { ...control, ask });
      if (after.next === "quit") end(EXIT.ok);
    },
  });

  let interruptedAt = Number.NEGATIVE_INFINITY;
  lines.onMessage((text) => turns.take(text));
  lines.onInterrupt(() => {
    const now = performance.now();
    if (now - interruptedAt < TWICE_MS) return leave(EXIT.interrupted);
    interruptedAt = now;
    if (turns.interrupt()) return;
    context.note("Press Ctrl+C again to exit.");
    lines.prompt();
  });
  lines.onEscape(() => void turns.interrupt());
  lines.onEnd(() => end(EXIT.ok));
  const shutdown = createShutdown();
  function leave(code: number): void {
    shutdown.request(code);
    end(code);
  }
  const unlisten = onStopSignal(leave);

  lines.prompt();
  const code = await ended;
  lines.close();
  history.close();
  await turns.end();
  const left = conversation.session?.id;
  screen?.activity.begin("Closing hooks");
  await conversation.close({ signal: shutdown.signal, onFrame: (frame) => options.renderer.show(frame) });
  const stored = left === undefined ? undefined : host.sessions.get(left);
  if (stored?.message_count) context.faint(howToContinue(stored));
  screen?.close();
  unlisten();
  context.exit(shutdown.code ?? code);
}

async function openLine(options: TerminalConversation, history: MessageHistory): Promise<InputLine> {
  const { host, context, screen } = options;
  if (screen === undefined) {
    const { MessageLine } = await import("./message-line.ts");
    return new MessageLine(host, context, history);
  }
  const { createCompletion } = await import("./completion.ts");
  return screen.openLine(history, createCompletion(host, process.cwd()));
}

/** Handles one input: a message for the model, a `!command` or a slash command. */
async function obey(
  options: TerminalConversation,
  text: string,
  control: TurnControl & { ask: ReadAnswer },
): Promise<AfterCommand> {
  const { signal, stopTurn, ask } = control;
  const { host, conversation, context, renderer, screen, maxIterations } = options;
  const send = {
    signal,
    onFrame: (frame: Frame) => renderer.show(frame),
    onProgress: (progress: TurnProgress) => renderer.progress?.(progress),
    maxIterations,
  };
  if (text.startsWith("!") && !text.includes("\n")) {
    const shown = await shellOutput(send.onFrame, (onFrame) =>
      conversation.shell(text.slice(1).trim(), { ...send, onFrame }),
    );
    if (shown !== "") context.out(shown);
    return { next: "nothing" };
  }
  const command = parseSlash(text);
  if (command === undefined) {
    await conversation.send(text, send);
    return { next: "nothing" };
  }
  const after = await runSlash(command.name, command.args, {
    host,
    conversation,
    say: screen === undefined ? context.out : (said) => screen.say(said),
    onFrame: send.onFrame,
    reasoning: options.reasoning,
    verbose: options.verbose,
    signal,
    stopTurn,
    ask,
  });
  if (after.next === "send") await conversation.send(after.message, send);
  return after;
}
