/** A conversation on a terminal. */
import { withDeadline } from "#core/deadline";
import { EXIT, isHermesError, problemOf } from "#core/errors";
import type { Host } from "../host/host.ts";
import type { CliContext } from "../context.ts";
import { createShutdown, onStopSignal } from "../shutdown.ts";
import type { ChatRepl } from "./chat-repl.ts";
import { MessageLine } from "./message-line.ts";
import type { Questions } from "./questions.ts";
import type { ReasoningSwitch, Renderer } from "./renderers.ts";
import { parseSlash } from "#core/command-events";
import { findSlashCommand } from "#core/slash-commands";
import { runSlash, type AfterCommand, type SlashContext } from "./slash-commands.ts";
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
}

/** A second Ctrl+C within this time ends the program (CONTRACT §3). */
const TWICE_MS = 2000;
/** How long a running turn may take to stop when the program exits. */
const STOPPING_MS = 5000;

/** Runs the conversation until the user ends it. Sets the exit code: 0, or 130 and 143 after a signal. */
export async function runTerminal(options: TerminalConversation): Promise<void> {
  const { host, conversation, context } = options;
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  const lines = new MessageLine(host, context);
  options.questions?.readThrough((question, signal) => lines.answer(question, signal));
  const turns = createTurns(options, (code) => end(code));
  const { provider, id } = host.model.describe();
  context.faint(`${id} (${provider}). Type /help for commands, Ctrl+D to exit.`);

  let interruptedAt = Number.NEGATIVE_INFINITY;
  lines.onMessage(turns.take);
  lines.onInterrupt(() => {
    const now = performance.now();
    if (now - interruptedAt < TWICE_MS) return leave(EXIT.interrupted);
    interruptedAt = now;
    if (turns.stop()) return;
    context.note("Press Ctrl+C again to exit.");
    lines.prompt();
  });
  lines.onEnd(() => end(EXIT.ok));
  turns.onIdle(() => lines.prompt());
  const shutdown = createShutdown();
  function leave(code: number): void {
    shutdown.request(code);
    end(code);
  }
  const unlisten = onStopSignal(leave);

  lines.prompt();
  const code = await ended;
  lines.close();
  await turns.end();
  await conversation.close({ signal: shutdown.signal, onFrame: (frame) => options.renderer.show(frame) });
  unlisten();
  context.exit(shutdown.code ?? code);
}

type TurnControl = Pick<SlashContext, "signal" | "stopTurn">;

/** Runs what the user types, one line after another. */
function createTurns(options: TerminalConversation, quit: (code: number) => void) {
  const waiting: string[] = [];
  let current: { readonly interrupt: AbortController; readonly done: Promise<void> } | undefined;
  let closed = false;
  let idle: () => void = () => undefined;

  /** Runs the input, after the turn that runs; `/stop` runs beside it, and commands that end it come next. */
  function take(text: string): void {
    const name = parseSlash(text)?.name;
    const command = current === undefined || name === undefined ? undefined : findSlashCommand("chat", name);
    if (command === "stop") return void perform(text, { signal: new AbortController().signal, stopTurn: stop });
    if (command !== "quit" && command !== "new") waiting.push(text);
    else {
      waiting.unshift(text);
      stop();
    }
    if (current === undefined) next();
  }

  /** False when no turn runs. */
  function stop(): boolean {
    current?.interrupt.abort();
    return current !== undefined;
  }

  function next(): void {
    const text = waiting.shift();
    if (text === undefined || closed) {
      current = undefined;
      if (!closed) idle();
      return;
    }
    const interrupt = new AbortController();
    const done = perform(text, { signal: interrupt.signal, stopTurn: () => false }).then(next);
    current = { interrupt, done };
  }

  async function perform(text: string, control: TurnControl): Promise<void> {
    try {
      const after = await obey(options, text, control);
      if (after.next === "quit") quit(EXIT.ok);
    } catch (error) {
      options.context.note(`hermes: ${isHermesError(error) ? error.message : problemOf(error)}`);
      options.host.log.error(problemOf(error));
    } finally {
      options.renderer.finish();
    }
  }

  return {
    take,
    stop,
    onIdle(listener: () => void) {
      idle = listener;
    },
    /** Stops the running turn and waits a limited time for its end. */
    async end(): Promise<void> {
      closed = true;
      current?.interrupt.abort();
      await withDeadline(STOPPING_MS, () => current?.done, { keepsAlive: false });
    },
  };
}

/** Handles one input: a message for the model, a `!command` or a slash command. */
async function obey(options: TerminalConversation, text: string, control: TurnControl): Promise<AfterCommand> {
  const { signal, stopTurn } = control;
  const { host, conversation, context, renderer, maxIterations } = options;
  const send = { signal, onFrame: (frame: Parameters<Renderer["show"]>[0]) => renderer.show(frame), maxIterations };
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
    say: context.out,
    onFrame: send.onFrame,
    reasoning: options.reasoning,
    verbose: options.verbose,
    signal,
    stopTurn,
  });
  if (after.next === "send") await conversation.send(after.message, send);
  return after;
}
