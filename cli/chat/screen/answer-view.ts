/**
 * An answer while it arrives. Blocks that can no longer change are printed; the last one stays live, and the rows of it
 * that do not fit on the screen are printed, too, unless more text could change them.
 */
import { visibleWidth, wrapTextWithAnsi } from "@earendil-works/pi-tui/dist/utils.js";
import { Lexer } from "marked";
import { TerminalFilter } from "#core/terminal-text";
import type { ChatScreen } from "./chat-screen.ts";
import { createMarkdown, knowsLinks, type RenderMarkdown } from "./markdown.ts";

/** A view of the answers on this screen. */
export function openAnswerView(screen: ChatScreen): AnswerView {
  return new AnswerView(screen, createMarkdown(screen.palette, knowsLinks(process.env)));
}

export class AnswerView {
  readonly #screen: ChatScreen;
  readonly #render: RenderMarkdown;
  readonly #filter = new TerminalFilter();
  /** What was not printed yet. */
  #text = "";
  /** How many of its rows were printed, because the screen was too low for them. */
  #printed = 0;
  /** The width of those rows: after a resize, the same text would begin its rows elsewhere. */
  #width = 0;
  /** True when an empty row belongs between what was printed and the text. */
  #gap = false;

  constructor(screen: ChatScreen, render: RenderMarkdown) {
    this.#screen = screen;
    this.#render = render;
  }

  /** Takes a part of the answer, which may end anywhere. */
  add(delta: string): void {
    this.#text += this.#filter.take(delta);
    this.#screen.setTail((width, height) => this.#tail(width, height));
  }

  /** Prints what is left. */
  finish(): void {
    const rows = fitted(this.#rows(this.#screen.columns), this.#screen.columns).flat();
    this.#screen.setTail(undefined);
    this.#screen.printRows(rows);
    this.#text = "";
    this.#printed = 0;
    this.#gap = false;
  }

  #tail(width: number, height: number): readonly string[] {
    this.#printBlocks(width);
    const rows = fitted(this.#rows(width), width);
    if (isTable(this.#text)) return rows.flat().slice(-height);
    let hidden = 0;
    for (let shown = rows.flat().length; shown > height; hidden++) shown -= rows[hidden]!.length;
    if (hidden > 0) {
      this.#print(rows.slice(0, hidden).flat());
      this.#width = this.#widthFor(width);
      this.#printed += this.#gap ? hidden - 1 : hidden;
      this.#gap = false;
    }
    return rows.slice(hidden).flat();
  }

  /** The rows that were not printed, of the width that the printed ones have. */
  #rows(width: number): readonly string[] {
    const rows = this.#render(this.#text, this.#widthFor(width)).slice(this.#printed);
    return this.#gap && rows.length > 0 ? ["", ...rows] : rows;
  }

  #widthFor(width: number): number {
    return this.#printed > 0 ? this.#width : width;
  }

  /** Prints the blocks before the last one. A line that is not complete may still turn into anything. */
  #printBlocks(width: number): void {
    const complete = this.#text.slice(0, this.#text.lastIndexOf("\n") + 1);
    const blocks = new Lexer().lex(complete);
    const last = blocks.findLastIndex(({ type }) => type !== "space");
    if (last <= 0) return;
    const length = blocks.slice(0, last).reduce((sum, { raw }) => sum + raw.length, 0);
    const made = this.#widthFor(width);
    const finished = this.#render(this.#text.slice(0, length).trimEnd(), made).length;
    const isParted = this.#render(this.#text, made)[finished] === "";
    // A long line without an end may have had the blocks before it printed already, and rows of its own.
    const left = this.#printed - finished;
    const waiting = this.#rows(width).slice(0, Math.max(0, (this.#gap ? 1 : 0) - left));
    this.#print(fitted(waiting, width).flat());
    this.#gap = isParted && left <= 0;
    this.#printed = Math.max(0, isParted ? left - 1 : left);
    this.#text = this.#text.slice(length);
  }

  /** Prints behind the drawing that asks for the tail; the rows come above what it draws next. */
  #print(rows: readonly string[]): void {
    queueMicrotask(() => this.#screen.printRows(rows));
  }
}

/** Each row in as many as it takes on a terminal that has become narrower. */
function fitted(rows: readonly string[], width: number): readonly (readonly string[])[] {
  return rows.map((row) => (visibleWidth(row) <= width ? [row] : wrapTextWithAnsi(row, width)));
}

/** Every row of a table changes with the widest cell. */
function isTable(text: string): boolean {
  return /^ {0,3}\|?[ \t]*:?-+:?[ \t|:-]*$/m.test(text.split("\n", 3)[1] ?? "");
}
