/** Asks the user on the terminal for a hook. No answer means no. */
import { createInterface } from "node:readline";
import { visible } from "#allowlist/visible";
import { HermesError } from "#core/errors";
import type { AskPerson, HookQuestion } from "#sandbox/shell/hook";

/** Shows a prompt and returns the line that is typed. Rejects when the signal aborts. */
export type ReadAnswer = (prompt: string, signal: AbortSignal) => Promise<string>;

export interface Questions {
  readonly ask: AskPerson;
  /** Sets who reads the answers; otherwise the terminal is opened for each question. */
  readThrough(read: ReadAnswer): void;
}

const PROMPT = "Allow this call? [y/N] ";
const MOST_SHOWN = 2000;

/** Creates the questions of a conversation. Parallel calls ask one after another. */
export function createQuestions(note: (text: string) => void): Questions {
  let read: ReadAnswer = readOnce;
  let last: Promise<unknown> = Promise.resolve();

  async function put(question: HookQuestion, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) throw new HermesError("HERMES_INTERRUPTED", {});
    note(describe(question));
    for (;;) {
      const word = (await read(PROMPT, signal)).trim().toLowerCase();
      if (word === "y" || word === "yes") return true;
      if (word === "" || word === "n" || word === "no") return false;
      note("Please answer y (yes) or n (no).");
    }
  }

  return {
    ask(question, signal) {
      const answer = last.then(() => put(question, signal));
      // The caller gets the failure; the next question does not depend on it.
      last = answer.catch(() => undefined);
      return answer;
    },
    readThrough(reader) {
      read = reader;
    },
  };
}

function describe({ tool, args, reason, command }: HookQuestion): string {
  const call = visible(`${tool} ${JSON.stringify(args)}`);
  const more = call.length > MOST_SHOWN ? `… (${call.length - MOST_SHOWN} more characters)` : "";
  return [
    "",
    "A hook wants your approval for this tool call:",
    `  call     ${call.slice(0, MOST_SHOWN)}${more}`,
    ...(reason === "" ? [] : [`  reason   ${visible(reason)}`]),
    `  hook     ${visible(command)}`,
  ].join("\n");
}

/** Opens the terminal for one answer. */
async function readOnce(prompt: string, signal: AbortSignal): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr, terminal: true, historySize: 0 });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const stop = () => reject(new HermesError("HERMES_INTERRUPTED", {}));
  signal.addEventListener("abort", stop, { once: true });
  terminal.once("line", resolve);
  terminal.once("close", () => resolve(""));
  // The open terminal reads Ctrl+C as a key, so pass it on to the handler that stops the turn.
  terminal.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  terminal.setPrompt(prompt);
  terminal.prompt();
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", stop);
    terminal.close();
  }
}
