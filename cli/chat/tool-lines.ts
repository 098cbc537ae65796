/** The lines that show a tool call and its result on a terminal. Pure: the same call gives the same lines. */
import { elapsed } from "#core/age";
import { styled, type StyledLine } from "#core/styled-text";
import { visible } from "#allowlist/visible";
import { clipLine, fitLine, textWidth, wrapHanging } from "../text-width.ts";
import { diffLines, hunksOf, type DiffLine } from "./line-diff.ts";
import { mainArgument } from "./tool-argument.ts";
import { linesOf, readResult } from "./tool-result.ts";

export interface LineStyle {
  /** The columns of the terminal. */
  readonly width: number;
  /** Everything instead of a preview. */
  readonly isVerbose: boolean;
}

export interface ToolCall {
  readonly tool: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface ToolOutcome {
  readonly content: string;
  readonly success: boolean;
  readonly seconds: number;
  /** What the call did to a file; absent when that is not known. */
  readonly change?: FileChange | undefined;
}

export interface FileChange {
  /** Empty for a file that was created. */
  readonly before: string;
  readonly after: string;
  readonly isNew: boolean;
}

const PREVIEW_LINES = 3;
const DIFF_LINES = 12;
/** Lines around a change. */
const CONTEXT = 2;
/** Shorter calls do not show how long they took. */
const WORTH_SAYING_SECONDS = 1;
const INDENT = "  ";
const FAILURE_ROWS = 3;
const FAILURE_HANG = 4;

/** The tool's name and the argument that matters, on one line; all arguments when verbose. */
export function callLines({ tool, params }: ToolCall, style: LineStyle): readonly StyledLine[] {
  const name = fitLine(tool, 40);
  const argument = fitLine(mainArgument(tool, params), Math.max(10, style.width - textWidth(name) - 4));
  const title = [styled("● ", "dim"), styled(name, "bold"), styled(argument === "" ? "" : ` ${argument}`)];
  return style.isVerbose ? [title, ...argumentLines(params, style)] : [title];
}

/** A preview of the result, a diff of the file that the call changed, why it failed, and how long it took. */
export function resultLines(call: ToolCall, outcome: ToolOutcome, style: LineStyle): readonly StyledLine[] {
  const change = outcome.success ? changeOf(call, outcome) : undefined;
  return change === undefined ? textLines(outcome, style) : changeLines(change, outcome, style);
}

function argumentLines(params: ToolCall["params"], style: LineStyle): readonly StyledLine[] {
  return Object.entries(params).flatMap(([key, value]) => {
    const [first = "", ...rest] = linesOf(typeof value === "string" ? value : JSON.stringify(value));
    return [`${visible(key)}: ${first}`, ...rest.map((line) => `  ${line}`)].map((line) => faint(line, style));
  });
}

function textLines({ content, success, seconds }: ToolOutcome, style: LineStyle): readonly StyledLine[] {
  const { lines, problem } = readResult(content);
  const failure = problem ?? (success ? undefined : "the call failed");
  const shown = style.isVerbose ? lines : lines.slice(0, PREVIEW_LINES);
  const left = moreThan(lines.length - shown.length);
  const isError = !success && failure !== undefined;
  return [
    ...(isError ? failureLines(failure, style) : []),
    ...shown.map((line) => faint(line, style)),
    ...endLine([styled(left, "dim"), styled(isError ? "" : (failure ?? ""), "red"), took(seconds)]),
  ];
}

/** Why a call failed matters, so it may take a few rows. */
function failureLines(failure: string, { width }: LineStyle): readonly StyledLine[] {
  const room = Math.max(10, width - 1);
  const sentence = fitLine(failure, room * FAILURE_ROWS - FAILURE_HANG * FAILURE_ROWS);
  return wrapHanging(`${INDENT}✗ ${sentence}`, room, FAILURE_HANG).map((row) => [styled(row, "red")]);
}

function changeLines(change: FileChange, { seconds }: ToolOutcome, style: LineStyle): readonly StyledLine[] {
  const diff = diffLines(linesOf(change.before), linesOf(change.after));
  const [added, removed] = [count(diff, "added"), count(diff, "removed")];
  const sums = [
    styled(change.isNew ? "new file" : added + removed === 0 ? "no line changed" : "", "dim"),
    styled(added === 0 ? "" : `+${added}`, "green"),
    styled(removed === 0 ? "" : `−${removed}`, "red"),
    took(seconds),
  ];
  const hunks = hunksOf(diff, change.isNew ? 0 : CONTEXT);
  const digits = String(Math.max(0, ...diff.map(({ line }) => line))).length;
  const lines = hunks.flatMap((hunk, index) => [
    ...(index === 0 ? [] : [[styled(`${INDENT}${" ".repeat(digits)} …`, "dim")]]),
    ...hunk.map((line) => diffLine(line, digits, style)),
  ]);
  const shown = style.isVerbose ? lines : lines.slice(0, DIFF_LINES);
  return [...endLine(sums), ...shown, ...endLine([styled(moreThan(lines.length - shown.length), "dim")])];
}

function diffLine({ kind, text, line }: DiffLine, digits: number, { width }: LineStyle): StyledLine {
  const number = String(line).padStart(digits);
  const content = clipLine(text, Math.max(10, width - digits - 5));
  const sign = { same: " ", added: "+", removed: "−" }[kind];
  const style = { same: "dim", added: "green", removed: "red" } as const;
  return [styled(`${INDENT}${number} `, "dim"), styled(`${sign} ${content}`.trimEnd(), style[kind])];
}

/** Without the file itself, a diff shows what the arguments say. */
function changeOf({ tool, params }: ToolCall, { change, content }: ToolOutcome): FileChange | undefined {
  // A hook that replaced the result may have done so to hide the change.
  if (change !== undefined || tool !== "patch" || !/"replacements":\d+/.test(content)) return change;
  const { old_string: before, new_string: after } = params;
  return typeof before === "string" && typeof after === "string" ? { before, after, isNew: false } : undefined;
}

function count(diff: readonly DiffLine[], kind: DiffLine["kind"]): number {
  return diff.filter((line) => line.kind === kind).length;
}

function moreThan(lines: number): string {
  return lines === 0 ? "" : `… +${lines} ${lines === 1 ? "line" : "lines"}`;
}

function took(seconds: number) {
  return styled(seconds < WORTH_SAYING_SECONDS ? "" : `(${elapsed(seconds)})`, "dim");
}

function faint(line: string, { width }: LineStyle): StyledLine {
  return [styled(`${INDENT}${clipLine(line, Math.max(10, width - 3))}`, "dim")];
}

/** The words that are not empty on one line, or no line. */
function endLine(words: StyledLine): readonly StyledLine[] {
  const said = words.filter(({ text }) => text !== "");
  if (said.length === 0) return [];
  return [[styled(INDENT), ...said.flatMap((word, index) => (index === 0 ? [word] : [styled(" "), word]))]];
}
