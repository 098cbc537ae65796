/** Asks the user on the terminal about tool calls that hooks hold up. Only a clear yes is a yes. */
import { openTerminalLines } from "#allowlist/terminal-lines";
import { visible } from "#allowlist/visible";
import { HermesError, isHermesError } from "#core/errors";
import type { AskUser, CallQuestion } from "#core/ports/question";
import { describeCall } from "#core/question-text";
import type { ReadAnswer } from "./input-line.ts";

export interface Questions {
  readonly ask: AskUser;
  /** Sets who reads the answers; otherwise the terminal is opened for each question. */
  readThrough(read: ReadAnswer): void;
}

/** Creates the questions of a conversation. The agent asks one after another. */
export function createQuestions(note: (text: string) => void): Questions {
  let read: ReadAnswer = readOnce;
  return {
    async ask(question, signal) {
      if (signal.aborted) throw new HermesError("HERMES_INTERRUPTED", {});
      const answers = question.answers.map(({ key, label }) => `    ${key}      ${visible(label)}`);
      note(["", ...describeCall(question, visible), ...answers].join("\n"));
      const word = (await read(promptFor(question), signal)).trim().toLowerCase();
      return word === "yes" ? "y" : word;
    },
    readThrough(reader) {
      read = reader;
    },
  };
}

function promptFor({ answers }: CallQuestion): string {
  const keys = answers.map(({ key, kind }) => (kind === "decline" ? key.toUpperCase() : key));
  return `Allow this call? [${keys.join("/")}] `;
}

/** Opens the terminal for one answer; what was typed before the question does not answer it. */
export async function readOnce(prompt: string, signal: AbortSignal): Promise<string> {
  const lines = openTerminalLines({ input: process.stdin, output: process.stderr });
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = () => reject(new HermesError("HERMES_INTERRUPTED", {}));
  signal.addEventListener("abort", stop, { once: true });
  try {
    return (await Promise.race([lines.ask(prompt), stopped])) ?? "";
  } catch (error) {
    // The open terminal reads Ctrl+C as a key, so pass it on to the handler that stops the turn.
    if (!signal.aborted && isHermesError(error) && error.code === "HERMES_INTERRUPTED") {
      process.kill(process.pid, "SIGINT");
      return await stopped;
    }
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    lines.close();
  }
}
