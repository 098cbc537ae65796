/**
 * Lists for people. On a terminal they fit its width: columns that can do without are left out, long ones are wrapped or
 * cut, and where that is not enough each row becomes a few lines. Elsewhere they are plain and complete.
 */
import { age } from "#core/age";
import { isTerminal } from "#core/is-terminal";
import { plainText, styled, type Span, type StyledLine } from "#core/styled-text";
import type { CliContext } from "./context.ts";
import { styleOfState } from "./state-style.ts";
import { fitLine, textWidth, wrapWords } from "./text-width.ts";

export interface Column {
  readonly head: string;
  /**
   * `text` takes several lines where it must, `line` is cut to one, `time` is an ISO time and on a terminal an age,
   * `state` is a text with the colour of what it says. Others always take one line.
   */
  readonly kind?: "text" | "line" | "time" | "state";
  /** Left out on a terminal that is too narrow for all columns; the last one goes first. */
  readonly isOptional?: true;
}

export type Row = readonly string[];

export interface ListLayout {
  /** The columns of the terminal; absent elsewhere. */
  readonly width?: number | undefined;
  readonly now?: number;
}

/** Between two columns. */
const GAP = "  ";
/** A column that may be wrapped or cut is never narrower, unless all of its cells are. */
const NARROWEST = { text: 12, line: 16, state: 9 } as const;
/** A `line` that is not on a terminal: whole, but for the body of a long message. */
const LONGEST_LINE = 2000;

/** Prints a list to standard output. */
export function printList(context: Pick<CliContext, "lines">, columns: readonly Column[], rows: readonly Row[]): void {
  context.lines(listLines(columns, rows, { width: terminalWidth() }));
}

/** The lines of a list in one text without colours, for standard output. */
export function listText(columns: readonly Column[], rows: readonly Row[]): string {
  return listLines(columns, rows, { width: terminalWidth() }).map(plainText).join("\n");
}

/** A paragraph for standard output: on a terminal wrapped at words. */
export function paragraph(text: string): string {
  const width = terminalWidth();
  return width === undefined ? text : wrapWords(text, width).join("\n");
}

/** The columns of the terminal that standard output is; undefined when it is none. */
export function terminalWidth(): number | undefined {
  // The stream is only made where there is a terminal: that takes longer than many a command.
  return isTerminal(1) ? process.stdout.columns || undefined : undefined;
}

/** The lines of a list, its head above the rows. Columns that are empty in every row are left out. */
export function listLines(
  columns: readonly Column[],
  rows: readonly Row[],
  { width, now = Date.now() }: ListLayout,
): readonly StyledLine[] {
  const cells = rows.map((row) => columns.map((column, index) => cellText(column, row[index] ?? "", width, now)));
  const used = columns.flatMap((column, index) =>
    cells.every((row) => row[index] === "") ? [] : [measure(column, index, cells)],
  );
  if (width === undefined) return tableLines(used, cells, Number.POSITIVE_INFINITY);
  const fitting = fit(used, width);
  return fitting === undefined ? stackedLines(used, cells, width) : tableLines(fitting, cells, width);
}

interface Measured extends Column {
  readonly index: number;
  readonly width: number;
}

function cellText({ kind }: Column, text: string, width: number | undefined, now: number): string {
  if (kind === "line") return fitLine(text, width ?? LONGEST_LINE);
  if (kind !== "time" || width === undefined || Number.isNaN(Date.parse(text))) return text;
  const time = Date.parse(text);
  if (time > now) return `in ${age(new Date(now).toISOString(), time)}`;
  const passed = age(text, now);
  return passed === "now" ? "now" : `${passed} ago`;
}

function measure(column: Column, index: number, cells: readonly Row[]): Measured {
  const width = Math.max(textWidth(column.head), ...cells.map((row) => textWidth(row[index]!)));
  return { ...column, index, width };
}

/** The columns with the widths that they get; undefined when they do not fit. */
function fit(columns: readonly Measured[], width: number): readonly Measured[] | undefined {
  const total = (shown: readonly Measured[], widthOf: (column: Measured) => number) =>
    shown.reduce((sum, column) => sum + widthOf(column), 0) + GAP.length * (shown.length - 1);
  const least = (column: Measured) => {
    const { kind } = column;
    return isFlexible(kind) ? Math.min(column.width, Math.max(NARROWEST[kind], textWidth(column.head))) : column.width;
  };
  // Leaving out is better than wrapping, but not than cutting.
  const wanted = (column: Measured) => (column.kind === "line" ? least(column) : column.width);
  let shown = columns;
  while (total(shown, wanted) > width) {
    const dropped = shown.findLast(({ isOptional }) => isOptional);
    if (dropped === undefined) break;
    shown = shown.filter((column) => column !== dropped);
  }
  if (total(shown, least) > width) return undefined;
  let room = width - total(shown, least);
  const widths = new Map(shown.map((column) => [column, least(column)]));
  // What is left goes to the columns that want more, evenly.
  for (let wanting = shown.filter(({ kind }) => isFlexible(kind)); wanting.length > 0 && room > 0;) {
    const share = Math.max(1, Math.floor(room / wanting.length));
    for (const column of wanting) {
      const more = Math.min(share, column.width - widths.get(column)!, room);
      widths.set(column, widths.get(column)! + more);
      room -= more;
    }
    wanting = wanting.filter((column) => widths.get(column)! < column.width);
  }
  return shown.map((column) => ({ ...column, width: widths.get(column)! }));
}

function isFlexible(kind: Column["kind"]): kind is keyof typeof NARROWEST {
  return kind !== undefined && kind !== "time";
}

function tableLines(columns: readonly Measured[], cells: readonly Row[], width: number): readonly StyledLine[] {
  const head = columns.every((column) => column.head === "")
    ? []
    : joined(
        columns,
        columns.map((column) => [styled(column.head, "dim")]),
      );
  return [
    ...head,
    ...cells.flatMap((row) =>
      joined(
        columns,
        columns.map((column) => cellLines(column, row, width)),
      ),
    ),
  ];
}

/** The lines of a cell. */
function cellLines(column: Measured, row: Row, width: number): readonly Span[] {
  const text = row[column.index]!;
  const lines = Number.isFinite(width) ? split(column, text, column.width) : [text];
  const style = column.kind === "state" ? styleOfState(text) : undefined;
  return lines.map((line) => styled(line, style));
}

function split({ kind }: Column, text: string, width: number): readonly string[] {
  if (kind === "line") return [fitLine(text, width)];
  return isFlexible(kind) ? wrapWords(text, width) : [text];
}

/** Cells of one or more lines next to each other. */
function joined(columns: readonly Measured[], cells: readonly (readonly Span[])[]): readonly StyledLine[] {
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, number) => {
    const spans = cells.map((lines, index) => {
      const span = lines[number] ?? styled("");
      return [span, styled(" ".repeat(Math.max(0, columns[index]!.width - textWidth(span.text))) + GAP)];
    });
    return trimmed(spans.flat());
  });
}

/** Without the blanks at its end. */
function trimmed(line: StyledLine): StyledLine {
  const last = line.findLastIndex(({ text }) => text.trim() !== "");
  return line.slice(0, last + 1);
}

/** Each row as its first cell and a line for each other one. */
function stackedLines(columns: readonly Measured[], cells: readonly Row[], width: number): readonly StyledLine[] {
  const [first, ...others] = columns;
  if (first === undefined) return [];
  const label = Math.max(0, ...others.map(({ head }) => textWidth(head)));
  const room = Math.max(NARROWEST.text, width - label - 2 * GAP.length);
  return cells.flatMap((row) => [
    ...wrapWords(row[first.index]!, Math.max(NARROWEST.text, width)).map((text): StyledLine => [styled(text, "bold")]),
    ...others.flatMap((column) => {
      if (row[column.index] === "") return [];
      const flexible = column.kind === "line" ? column : { ...column, kind: "text" as const };
      const style = column.kind === "state" ? styleOfState(row[column.index]!) : undefined;
      return split(flexible, row[column.index]!, room).map((text, number): StyledLine => [
        styled(`${GAP}${(number === 0 ? column.head.toLowerCase() : "").padEnd(label)}${GAP}`, "dim"),
        styled(text, style),
      ]);
    }),
  ]);
}
