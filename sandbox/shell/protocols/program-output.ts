/** Reads the standard output of a script written for another program: one JSON object, or plain text. */
import { isMapping } from "#core/mapping";
import { truncate } from "#core/truncate";
import { excerpt, textOf } from "#sandbox/shell/outcome";
import { parseOutput } from "#sandbox/shell/output";

export type Answer = Readonly<Record<string, unknown>>;

export interface ProgramOutput {
  /** The JSON object; empty when there is none. */
  readonly answer: Answer;
  /** The plain text instead of an object. */
  readonly text?: string;
  /** Why the output is no answer, as a clause. */
  readonly problem?: string;
}

/** Output that begins like an object must be one. Other output is text, unless an answer hides behind it. */
export function readOutput(stdout: string): ProgramOutput {
  const text = withoutQuotes(stdout.replace(/^\uFEFF/, "").trim());
  if (text === "" || text === "null") return { answer: {} };
  if (text.startsWith("{")) {
    const output = parseOutput(text);
    return "problem" in output ? { answer: {}, problem: output.problem } : { answer: output.answer ?? {} };
  }
  if (!hidesAnswer(text)) return { answer: {}, text };
  return { answer: {}, problem: `its answer follows other text, so it is none: ${excerpt(text, 80)}` };
}

/** An object that was encoded twice, as Gemini CLI reads it: its script believes that it has decided, whatever reads it. */
function withoutQuotes(text: string): string {
  if (!text.startsWith('"')) return text;
  const output = parseOutput(`{"text":${text}}`);
  const inner = "answer" in output ? output.answer?.["text"] : undefined;
  return typeof inner === "string" && inner.trim().startsWith("{") ? inner.trim() : text;
}

/** `hookSpecificOutput`, or an empty object. */
export function specificOf(answer: Answer): Answer {
  const specific = answer["hookSpecificOutput"];
  return isMapping(specific) ? specific : {};
}

const LONGEST_NOTICE = 2000;

/** A script's message for the user, under this key or another. */
export function noticeIn(answer: Answer, ...keys: readonly string[]): string | undefined {
  const message = firstText(...keys.map((key) => answer[key]));
  return message === undefined ? undefined : truncate(message.trim(), LONGEST_NOTICE);
}

/** The first that is a text with something in it. */
export function firstText(...values: readonly unknown[]): string | undefined {
  return values.map(textOf).find((text) => text !== undefined);
}

/** True for anything but undefined and null. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** A value of an answer as a clause quotes it. */
export function quoteValue(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(truncate(value, 40)) : `of type ${typeof value}`;
}

/** Keys that make an object behind other text an answer and not a part of that text. */
const DECIDING = ["hookSpecificOutput", "decision", "continue", "permissionDecision", "permission"];

/** A shell's greeting before the answer, for example: the script believes that it has decided. */
function hidesAnswer(text: string): boolean {
  const starts = [text.search(/\n[ \t]*\{/), text.lastIndexOf("\n")].filter((start) => start !== -1);
  return starts.some((start) => {
    const output = parseOutput(text.slice(start));
    return "answer" in output && DECIDING.some((key) => Object.hasOwn(output.answer ?? {}, key));
  });
}
