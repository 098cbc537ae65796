/** Asks the user on the terminal about tool calls that hooks hold up. Only a clear yes is a yes. */
import { openTerminalLines } from "#allowlist/terminal-lines";
import { visible } from "#allowlist/visible";
import { HermesError, isHermesError } from "#core/errors";
import type { AskUser, CallQuestion } from "#core/ports/question";
import { describeCall, type QuestionLine } from "#core/question-text";
import { styled, type Span, type StyledLine } from "#core/styled-text";
import { wrapHanging } from "../text-width.ts";
import type { ReadAnswer } from "./input-line.ts";

export interface Questions {
  readonly ask: AskUser;
  /** Sets who reads the answers; otherwise the terminal is opened for each question. */
  readThrough(read: ReadAnswer): void;
}

interface ShownLine extends Pick<QuestionLine, "text" | "hang"> {
  readonly kind: QuestionLine["kind"] | "answer";
}

const DEFAULT_WIDTH = 80;
/** Where what an answer does begins. */
const ANSWER = 11;

/** Creates the questions of a conversation. The agent asks one after another. */
export function createQuestions(show: (lines: readonly StyledLine[]) => void): Questions {
  let read: ReadAnswer = readOnce;
  return {
    async ask(question, signal) {
      if (signal.aborted) throw new HermesError("HERMES_INTERRUPTED", {});
      show([[], ...questionLines(question, process.stderr.columns || DEFAULT_WIDTH)]);
      const word = (await read(promptFor(question), signal)).trim().toLowerCase();
      return word === "yes" ? "y" : word;
    },
    readThrough(reader) {
      read = reader;
    },
  };
}

/** The question as rows of a terminal: no text of a model or hook begins where hermes's own words do. */
export function questionLines(question: CallQuestion, width: number): readonly StyledLine[] {
  const answers = question.answers.map(({ key, label }) => ({
    text: `    ${key}      ${visible(label)}`,
    hang: ANSWER,
    kind: "answer" as const,
  }));
  return [...describeCall(question, visible), ...answers].flatMap((line) =>
    wrapHanging(line.text, width, line.hang).map((row, index) => paintedRow(row, line, index === 0)),
  );
}

function paintedRow(row: string, { kind, hang }: ShownLine, isFirst: boolean): StyledLine {
  const mark = (style: Span["style"]) => [styled(row.slice(0, hang), style), styled(row.slice(hang))];
  if (kind === "title") return [styled(row, "bold")];
  if (kind === "removed") return [styled(row, "red")];
  if (kind === "added") return [styled(row, "green")];
  if (kind === "text" || !isFirst) return [styled(row)];
  return mark(kind === "label" ? "dim" : "bold");
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
