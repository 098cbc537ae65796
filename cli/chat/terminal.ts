/** A conversation on a terminal. */
import { createInterface, type Interface } from "node:readline";
import { withDeadline } from "#core/deadline";
import { EXIT, HermesError, isHermesError, problemOf } from "#core/errors";
import type { Host } from "../host/host.ts";
import type { CliContext } from "../context.ts";
import { createShutdown, onStopSignal } from "../shutdown.ts";
import type { ChatRepl } from "./chat-repl.ts";
import { loadHistory, saveHistory } from "./history-file.ts";
import type { Questions } from "./questions.ts";
import type { Renderer } from "./renderers.ts";
import { parseSlash } from "#core/command-events";
import { commandNames, runSlash, type AfterCommand } from "./slash-commands.ts";
import { terminalOutput } from "./terminal-output.ts";

export interface TerminalConversation {
  readonly host: Host;
  readonly conversation: ChatRepl;
  readonly context: CliContext;
  readonly renderer: Renderer;
  readonly maxIterations: number | undefined;
  /** Questions of hooks are asked on the same line that the user types on. */
  readonly questions?: Questions | undefined;
}

/** A second Ctrl+C within this time ends the program (CONTRACT §3). */
const TWICE_MS = 2000;
/** How long a turn that is stopped at the end of the program may take to stop. */
const STOPPING_MS = 5000;
const PROMPT = "› ";
const CONTINUATION = "… ";
const PASTE_ON = "\u001b[?2004h";
const PASTE_OFF = "\u001b[?2004l";

/** Runs the conversation until the user ends it. Sets the exit code: 0, or 130 and 143 after a signal. */
export async function runTerminal(options: TerminalConversation): Promise<void> {
  const { host, conversation, context } = options;
  const { promise: ended, resolve: end } = Promise.withResolvers<number>();
  const lines = readMessages(host, context);
  options.questions?.readThrough(lines.answer);
  const turns = createTurns(options, (code) => end(code));
  const { provider, id } = host.model.describe();
  context.faint(`${id} (${provider}). Type /help for commands, Ctrl+D to exit.`);

  let interruptedAt = Number.NEGATIVE_INFINITY;
  lines.onMessage((text) => {
    if (turns.running && text.trim() === "/stop") turns.stop();
    else turns.take(text);
  });
  lines.onInterrupt(() => {
    const now = performance.now();
    if (now - interruptedAt < TWICE_MS) return leave(EXIT.interrupted);
    interruptedAt = now;
    if (turns.running) return turns.stop();
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

/** Runs what the user types, one line after another. */
function createTurns(options: TerminalConversation, quit: (code: number) => void) {
  const waiting: string[] = [];
  let current: { readonly interrupt: AbortController; readonly done: Promise<void> } | undefined;
  let closed = false;
  let idle: () => void = () => undefined;

  function take(text: string): void {
    waiting.push(text);
    if (current === undefined) next();
  }

  function next(): void {
    const text = waiting.shift();
    if (text === undefined || closed) {
      current = undefined;
      if (!closed) idle();
      return;
    }
    const interrupt = new AbortController();
    const done = perform(text, interrupt.signal).then(next);
    current = { interrupt, done };
  }

  async function perform(text: string, signal: AbortSignal): Promise<void> {
    try {
      const after = await obey(options, text, signal);
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
    get running() {
      return current !== undefined;
    },
    stop: () => current?.interrupt.abort(),
    onIdle(listener: () => void) {
      idle = listener;
    },
    /** Stops the turn that runs and waits for its end, but not for ever. */
    async end(): Promise<void> {
      closed = true;
      current?.interrupt.abort();
      await withDeadline(STOPPING_MS, () => current?.done, { keepsAlive: false });
    },
  };
}

/** One thing typed: a message for the model, a `!command` or a slash command. */
async function obey(options: TerminalConversation, text: string, signal: AbortSignal): Promise<AfterCommand> {
  const { host, conversation, context, renderer, maxIterations } = options;
  const send = { signal, onFrame: (frame: Parameters<Renderer["show"]>[0]) => renderer.show(frame), maxIterations };
  if (text.startsWith("!") && !text.includes("\n")) {
    const shown = terminalOutput(await conversation.shell(text.slice(1).trim(), send));
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
    signal,
  });
  if (after.next === "send") await conversation.send(after.message, send);
  return after;
}

/** Reads messages: a line, lines joined by a backslash, or all that was pasted at once. */
function readMessages(host: Host, context: CliContext) {
  const output = process.stderr.isTTY ? process.stderr : process.stdout;
  const input: Interface = createInterface({
    input: process.stdin,
    output,
    terminal: true,
    prompt: PROMPT,
    historySize: 1000,
    removeHistoryDuplicates: true,
    history: loadHistory(host.paths.history),
    completer: (line: string) => completeSlash(line, commandNames(host), host),
  });
  let parts: string[] = [];
  let pasting = false;
  let closed = false;
  /** What was typed when a question came in between; it is back at the next prompt. */
  let draft = "";
  let answering: PromiseWithResolvers<string> | undefined;
  let listener: (text: string) => void = () => undefined;
  const onKey = (_: string | undefined, key: { name?: string } | undefined) => {
    if (key?.name === "paste-start") pasting = true;
    if (key?.name === "paste-end") pasting = false;
  };
  process.stdin.on("keypress", onKey);
  output.write(PASTE_ON);

  function prompt(): void {
    input.setPrompt(parts.length === 0 ? PROMPT : CONTINUATION);
    input.prompt(true);
    if (draft === "") return;
    const typed = draft + input.line;
    draft = "";
    eraseLine(input);
    input.write(typed);
  }

  /** One line that was typed during a turn. */
  async function answer(question: string, signal: AbortSignal): Promise<string> {
    if (closed) throw new HermesError("HERMES_INTERRUPTED", {});
    draft += input.line;
    eraseLine(input);
    const pending = (answering = Promise.withResolvers<string>());
    const stop = () => pending.reject(new HermesError("HERMES_INTERRUPTED", {}));
    signal.addEventListener("abort", stop, { once: true });
    input.setPrompt(question);
    input.prompt();
    try {
      return await pending.promise;
    } finally {
      answering = undefined;
      signal.removeEventListener("abort", stop);
      if (!closed) input.setPrompt(PROMPT);
    }
  }

  input.once("close", () => {
    closed = true;
  });
  input.on("line", (line) => {
    if (pasting) return void parts.push(line);
    if (answering !== undefined) return answering.resolve(line);
    if (line.endsWith("\\")) {
      parts.push(line.slice(0, -1));
      return prompt();
    }
    const text = [...parts, line].join("\n");
    parts = [];
    if (text.trim() === "") return prompt();
    listener(text);
  });
  input.on("history", (entries: string[]) => {
    // An answer to a question is nothing that was said.
    if (answering !== undefined) return void entries.shift();
    const problem = saveHistory(host.paths.history, entries);
    if (problem !== undefined) host.log.warn(`the chat history cannot be saved: ${problem}`);
  });
  return {
    prompt,
    answer,
    onMessage(take: (text: string) => void) {
      listener = take;
    },
    onInterrupt(take: () => void) {
      input.on("SIGINT", () => {
        parts = [];
        draft = "";
        eraseLine(input);
        context.note("");
        take();
      });
    },
    onEnd(take: () => void) {
      input.once("close", take);
    },
    close() {
      closed = true;
      output.write(PASTE_OFF);
      process.stdin.off("keypress", onKey);
      input.removeAllListeners("close");
      input.close();
    },
  };
}

function eraseLine(input: Interface): void {
  input.write(null, { ctrl: true, name: "e" });
  input.write(null, { ctrl: true, name: "u" });
}

/** Completes the name of a slash command, and the session of `/resume`. */
function completeSlash(line: string, names: readonly string[], host: Host): [string[], string] {
  const resume = /^\/resume\s+(\S*)$/.exec(line);
  if (resume !== null) {
    const begun = resume[1] ?? "";
    const ids = host.sessions.list({ limit: 50 }).map(({ id }) => id);
    return [["latest", ...ids].filter((id) => id.startsWith(begun)), begun];
  }
  if (!/^\/[\w-]*$/.test(line)) return [[], line];
  return [
    names
      .map((name) => `/${name}`)
      .filter((name) => name.startsWith(line))
      .toSorted(),
    line,
  ];
}
