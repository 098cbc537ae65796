/**
 * Reads messages where the terminal cannot be drawn on (`TERM=dumb`) or is a pipe: a line, lines joined by a backslash,
 * or all that was pasted at once.
 */
import { createInterface, type Interface } from "node:readline";
import { HermesError } from "#core/errors";
import { readWaiting } from "#allowlist/terminal-lines";
import type { CliContext } from "../context.ts";
import type { Host } from "../host/host.ts";
import type { InputLine } from "./input-line.ts";
import type { MessageHistory } from "./message-history.ts";
import { QuietMoment } from "./quiet-moment.ts";
import { commandNames } from "./slash-commands.ts";

const PROMPT = "› ";
const CONTINUATION = "… ";
const PASTE_ON = "\u001b[?2004h";
const PASTE_OFF = "\u001b[?2004l";

/** The line on the terminal that the user types on, and on which hooks ask for approval. */
export class MessageLine implements InputLine {
  readonly #history: MessageHistory;
  readonly #context: CliContext;
  readonly #output = process.stderr.isTTY ? process.stderr : process.stdout;
  readonly #input: Interface;
  #parts: string[] = [];
  #pasting = false;
  #closed = false;
  /** What was typed when a question interrupted it; restored at the next prompt. */
  #draft = "";
  #answering: PromiseWithResolvers<string> | undefined;
  /** A question from when it is shown on. */
  #asked: { readonly moment: QuietMoment; readonly take: (answer: string) => void } | undefined;
  #listener: (text: string) => void = () => undefined;

  constructor(host: Host, context: CliContext, history: MessageHistory) {
    this.#history = history;
    this.#context = context;
    this.#input = createInterface({
      input: process.stdin,
      output: this.#output,
      terminal: true,
      prompt: PROMPT,
      historySize: 1000,
      removeHistoryDuplicates: true,
      history: history.entries.toReversed().map((text) => text.replaceAll("\n", " ")),
      completer: (line: string) => completeSlash(line, commandNames(host), host),
    });
    process.stdin.on("keypress", this.#onKey);
    if (!isDumb()) this.#output.write(PASTE_ON);
    this.#input.once("close", () => {
      this.#closed = true;
    });
    this.#input.on("line", (line) => this.#take(line));
    // An answer to a question is not a message.
    this.#input.on("history", (entries: string[]) => this.#answering !== undefined && void entries.shift());
  }

  prompt(): void {
    this.#input.setPrompt(this.#parts.length === 0 ? PROMPT : CONTINUATION);
    this.#input.prompt(true);
    if (this.#draft === "") return;
    const typed = this.#draft + this.#input.line;
    this.#draft = "";
    this.#erase();
    this.#input.write(typed);
  }

  begin(): void {
    // The line that was typed is on the terminal already.
  }

  readonly answer = async (question: string, signal: AbortSignal): Promise<string> => {
    if (this.#closed || signal.aborted) throw new HermesError("HERMES_INTERRUPTED", {});
    const pending = Promise.withResolvers<string>();
    const stop = () => pending.reject(new HermesError("HERMES_INTERRUPTED", {}));
    signal.addEventListener("abort", stop, { once: true });
    const over = () => {
      this.#draft += this.#input.line;
      this.#erase();
      this.#answering = pending;
      this.#input.setPrompt(question);
      this.#input.prompt();
    };
    this.#input.write(readWaiting(process.stdin.fd));
    const moment = new QuietMoment({ isEmpty: this.#parts.length === 0 && this.#input.line === "", over });
    this.#asked = { moment, take: pending.resolve };
    const typed = () => moment.typed();
    process.stdin.on("keypress", typed);
    try {
      return await pending.promise;
    } finally {
      moment.cancel();
      process.stdin.off("keypress", typed);
      this.#asked = undefined;
      this.#answering = undefined;
      signal.removeEventListener("abort", stop);
      if (!this.#closed) this.#input.setPrompt(PROMPT);
    }
  };

  onMessage(listener: (text: string) => void): void {
    this.#listener = listener;
  }

  onInterrupt(listener: () => void): void {
    this.#input.on("SIGINT", () => {
      this.#parts = [];
      this.#draft = "";
      this.#erase();
      this.#context.note("");
      listener();
    });
  }

  onEscape(): void {
    // Esc begins the sequences of other keys here.
  }

  showQueued(): void {
    // There is no place for it.
  }

  putBack(): boolean {
    return false;
  }

  onEnd(listener: () => void): void {
    this.#input.once("close", listener);
  }

  close(): void {
    this.#closed = true;
    if (!isDumb()) this.#output.write(PASTE_OFF);
    process.stdin.off("keypress", this.#onKey);
    this.#input.removeAllListeners("close");
    this.#input.close();
  }

  readonly #onKey = (_: string | undefined, key: { name?: string } | undefined) => {
    if (key?.name === "paste-start") this.#pasting = true;
    if (key?.name === "paste-end") this.#pasting = false;
  };

  #take(line: string): void {
    if (this.#pasting) return void this.#parts.push(line);
    if (this.#answering !== undefined) return this.#answering.resolve(line);
    if (this.#parts.length === 0 && this.#asked?.moment.isAnswer(line) === true) return this.#asked.take(line);
    if (line.endsWith("\\")) {
      this.#parts.push(line.slice(0, -1));
      return this.prompt();
    }
    const text = [...this.#parts, line].join("\n");
    this.#parts = [];
    if (text.trim() === "") return this.prompt();
    this.#history.add(text);
    this.#listener(text);
  }

  #erase(): void {
    this.#input.write(null, { ctrl: true, name: "e" });
    this.#input.write(null, { ctrl: true, name: "u" });
  }
}

function isDumb(): boolean {
  return process.env["TERM"] === "dumb";
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
