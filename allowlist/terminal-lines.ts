/** Reads answers from a terminal; what was typed before a question is shown does not answer it (CONTRACT §5). */
import { closeSync, constants, openSync, readSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { HermesError } from "#core/errors";

export interface Terminal {
  readonly input: Readable;
  /** Where questions are shown: standard error, because standard output is for results. */
  readonly output: Writable;
}

/** The parts of a terminal's streams that other streams lack. */
interface TerminalInput {
  readonly fd?: number;
  setRawMode?(raw: boolean): unknown;
}

export interface TerminalLines {
  /**
   * Throws away what was typed before, shows `prompt`, and gives the line that is typed then; undefined after Ctrl+D.
   * Rejects with HERMES_INTERRUPTED on Ctrl+C.
   */
  ask(prompt: string): Promise<string | undefined>;
  /** Stops reading; what was typed after the last answer goes back to the input. */
  close(): void;
}

const CTRL_C = "\u0003";

export function openTerminalLines({ input, output }: Terminal): TerminalLines {
  let reader: Interface | undefined;
  let later: string[] = [];
  let ended = false;

  function stop(): void {
    const stopped = reader;
    reader = undefined;
    stopped?.close();
  }

  async function ask(prompt: string): Promise<string | undefined> {
    stop();
    later = [];
    if (ended || input.readableEnded) return undefined;
    if (readTyped(input).includes(CTRL_C)) throw new HermesError("HERMES_INTERRUPTED", {});
    const terminal = createInterface({ input, output, terminal: true, historySize: 0 });
    reader = terminal;
    const answer = Promise.withResolvers<string | undefined>();
    let answered = false;
    terminal.on("line", (line) => {
      if (answered) later.push(line);
      answered = true;
      answer.resolve(line);
    });
    terminal.on("close", () => {
      // Without Enter the next output would follow on the same line.
      if (reader !== terminal) return;
      if (!answered) output.write("\n");
      ended ||= !answered;
      answer.resolve(undefined);
    });
    terminal.on("SIGINT", () => {
      output.write("\n");
      answer.reject(new HermesError("HERMES_INTERRUPTED", {}));
    });
    terminal.setPrompt(prompt);
    terminal.prompt();
    return answer.promise;
  }

  function close(): void {
    const rest = later.map((line) => `${line}\n`).join("") + (reader?.line ?? "");
    stop();
    if (rest !== "" && !input.readableEnded) input.unshift(Buffer.from(rest));
  }

  return { ask, close };
}

/** Reads everything that was typed until now, also a line without Enter. The terminal is in raw mode then. */
export function readTyped(input: Readable & TerminalInput): string {
  // In raw mode the system hands out unfinished lines, too.
  input.setRawMode?.(true);
  const read = () => input.read() as Buffer | string | null;
  let typed = "";
  for (let chunk = read(); chunk !== null; chunk = read()) typed += chunk.toString("utf8");
  return typed + readWaiting(input.fd ?? 0);
}

/** What was typed on a terminal and was not read yet. Its own opening of the terminal does not block. */
export function readWaiting(descriptor: number): string {
  let typed = "";
  for (const path of [`/proc/self/fd/${descriptor}`, "/dev/tty"]) {
    try {
      const terminal = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      try {
        const buffer = Buffer.alloc(64 * 1024);
        for (let read = readSync(terminal, buffer); read > 0; read = readSync(terminal, buffer)) {
          typed += buffer.toString("utf8", 0, read);
        }
        return typed;
      } finally {
        closeSync(terminal);
      }
    } catch (error) {
      // EAGAIN: all is read. Otherwise it cannot be opened this way (there is no /proc), so the next one is tried.
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return typed;
    }
  }
  return typed;
}
