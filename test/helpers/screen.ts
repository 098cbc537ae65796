/** What a person sees: a terminal's screen and scrollback, modelled from the bytes that a program writes to it. */
import headless from "@xterm/headless";
import type { Pty } from "./pty.ts";

export interface Screen {
  /** The lines on the screen and in the scrollback, without trailing blanks and empty lines at the end. */
  lines(): Promise<string[]>;
  /** The lines that are in view. */
  view(): Promise<string[]>;
  /** Where the cursor is in the view. */
  cursor(): Promise<{ row: number; column: number }>;
  /** Changes the size of the model; the program hears of it by the pty. */
  resize(columns: number, rows: number): void;
  /** The model itself, for colours and links. */
  readonly terminal: headless.Terminal;
}

/** The screen that a pty's program has drawn, kept up to date. `reflow` is what the terminal does when it narrows. */
export function screenOf(pty: Pty, { columns = 80, rows = 24 } = {}): Screen {
  const terminal = new headless.Terminal({ cols: columns, rows, scrollback: 5000, allowProposedApi: true });
  let written = 0;
  async function settled(): Promise<headless.IBuffer> {
    const raw = pty.raw();
    const more = raw.slice(written);
    written = raw.length;
    await new Promise<void>((resolve) => terminal.write(more, resolve));
    return terminal.buffer.active;
  }
  function textOf(buffer: headless.IBuffer, from: number, to: number): string[] {
    const lines: string[] = [];
    for (let index = from; index < to; index++) lines.push(buffer.getLine(index)?.translateToString(true) ?? "");
    while (lines.at(-1) === "") lines.pop();
    return lines;
  }
  return {
    async lines() {
      const buffer = await settled();
      return textOf(buffer, 0, buffer.length);
    },
    async view() {
      const buffer = await settled();
      return textOf(buffer, buffer.baseY, buffer.baseY + terminal.rows);
    },
    async cursor() {
      const { cursorX: column, cursorY: row } = await settled();
      return { row, column };
    },
    resize: (width, height) => terminal.resize(width, height),
    terminal,
  };
}
