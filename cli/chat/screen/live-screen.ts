/**
 * Draws on the terminal's main screen: what is printed goes into the scrollback, as any program's output does, and a
 * few live rows (the answer that arrives, a status, the line that is typed on) stay below it and are drawn over.
 * The scrollback is never cleared, so that what was there before can be scrolled to and copied.
 */
import { visibleWidth, wrapTextWithAnsi } from "@earendil-works/pi-tui/dist/utils.js";

/** The rows that stay below the output. None may be wider than the terminal. */
export interface LiveRows {
  readonly rows: readonly string[];
  /** Where the user types; at the end of the last row when absent. */
  readonly cursor?: { readonly row: number; readonly column: number } | undefined;
}

export interface ScreenDevice {
  write(text: string): void;
  readonly columns: number;
  readonly rows: number;
  /** True where the terminal breaks its lines again when its width changes. */
  readonly reflows: boolean;
  /** True where it does so with the line of the cursor, too. */
  readonly reflowsCursorLine: boolean;
}

/** Gives the live rows for a size of the terminal: at most `height` of them. */
export type RenderLive = (width: number, height: number) => LiveRows;

/** The least time between two drawings, in milliseconds. */
const FRAME_MS = 16;
/** Drawing takes at most one part in so many of the time, also when there is much to render. */
const SHARE = 4;
const NOTHING: LiveRows = { rows: [] };

export class LiveScreen {
  readonly #device: ScreenDevice;
  readonly #render: RenderLive;
  /** Complete lines that are printed with the next drawing. */
  #printed: string[] = [];
  /** The printed line that is not complete; a live row until it is. */
  #open = "";
  /** The live rows on the terminal, and where its cursor is in them. */
  #shown: readonly string[] = [];
  #cursor = { row: 0, column: 0 };
  #width: number;
  #timer: NodeJS.Timeout | undefined;
  #drawnAt = Number.NEGATIVE_INFINITY;
  /** How long the last drawing took, in milliseconds. */
  #took = 0;
  #state: "drawing" | "paused" | "closed" = "drawing";

  constructor(device: ScreenDevice, render: RenderLive) {
    this.#device = device;
    this.#render = render;
    this.#width = device.columns;
  }

  /** Prints text above the live rows. It may have colours; the last line may be incomplete. */
  print(text: string): void {
    if (this.#state !== "drawing") return this.#device.write(text);
    const lines = (this.#open + text).split("\n");
    this.#open = lines.pop() ?? "";
    this.#printed.push(...lines);
    this.refresh();
  }

  /** Completes the line that was printed without an end. */
  endLine(): void {
    if (this.#open !== "") this.print("\n");
  }

  /** Draws again soon. */
  refresh(): void {
    if (this.#timer !== undefined || this.#state !== "drawing") return;
    const pause = Math.max(FRAME_MS, SHARE * this.#took);
    const wait = Math.max(0, this.#drawnAt + pause - performance.now());
    this.#timer = setTimeout(() => this.flush(), wait);
  }

  /** Draws now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#state !== "drawing") return;
    const began = performance.now();
    const { columns: width, rows: height } = this.#device;
    if (width !== this.#width) this.#resized(width);
    this.#draw(this.#live(width, height));
    this.#drawnAt = performance.now();
    this.#took = this.#drawnAt - began;
  }

  /** Prints rows. Those that are the first live rows already are left where they are. */
  keep(rows: readonly string[]): void {
    this.endLine();
    if (this.#printed.length > 0 || this.#device.columns !== this.#width) this.flush();
    this.#printed.push(...rows);
    const { columns: width, rows: height } = this.#device;
    const isShown = rows.length > 0 && sameRows(rows, this.#shown.slice(0, rows.length));
    if (this.#state === "drawing") this.#draw(this.#live(width, height), isShown ? rows.length : 0);
  }

  /** Takes the live rows away until {@link resume}, so that another program or prompt has the terminal. */
  pause(): void {
    if (this.#state !== "drawing") return;
    this.endLine();
    this.flush();
    this.#draw(NOTHING);
    this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "drawing";
    this.flush();
  }

  /** Starts at the top of an empty screen (Ctrl+L); the scrollback stays. */
  clear(): void {
    this.#device.write("\u001b[H\u001b[J");
    this.#shown = [];
    this.#cursor = { row: 0, column: 0 };
    this.flush();
  }

  /** Takes the live rows away; the cursor is at the beginning of a free line. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "drawing";
    this.endLine();
    clearTimeout(this.#timer);
    this.#draw(NOTHING);
    this.#state = "closed";
  }

  #live(width: number, height: number): LiveRows {
    const open = this.#open === "" ? [] : wrapTextWithAnsi(this.#open.replaceAll("\t", "    "), width);
    const most = Math.max(1, height - 1);
    const { rows, cursor } = this.#render(width, most);
    const all = [...open, ...rows];
    const dropped = Math.max(0, all.length - most);
    const at = cursor === undefined ? undefined : { row: cursor.row + open.length - dropped, column: cursor.column };
    return { rows: all.slice(dropped), cursor: at };
  }

  /** Prints what waits and draws the live rows below it. `kept` rows are on the terminal already, at the top. */
  #draw(live: LiveRows, kept = 0): void {
    const printed = this.#printed.splice(0);
    const { row: from } = this.#cursor;
    const isSame = printed.length === 0 && sameRows(live.rows, this.#shown);
    this.#cursor = cursorOf(live);
    this.#shown = live.rows;
    if (isSame) return this.#write(move(from, this.#cursor));
    const lines = [...printed.slice(kept), ...live.rows];
    // A free line is left where nothing stays below what is printed.
    if (live.rows.length === 0 && printed.length > 0) lines.push("");
    const last = Math.max(0, live.rows.length - 1);
    // What is printed begins behind a line end for whoever records the bytes of the terminal, too.
    const above = kept > 0 ? `${down(kept - 1)}\n` : `\n${up(1)}`;
    const begin = up(from) + (printed.length > 0 ? above : "\r");
    this.#write(`${begin}\u001b[J${lines.join("\n")}${move(last, this.#cursor)}`);
  }

  #write(drawing: string): void {
    // Terminals that know synchronized output show the whole change at once.
    this.#device.write(`\u001b[?2026h\u001b[?25l${drawing}\u001b[?25h\u001b[?2026l`);
  }

  /** After a change of the width, terminals that break lines again have moved the cursor away from the first row. */
  #resized(width: number): void {
    this.#width = width;
    if (this.#device.reflows) {
      const above = this.#shown
        .slice(0, this.#cursor.row)
        .map((row) => Math.max(1, Math.ceil(visibleWidth(row) / width)));
      const within = this.#device.reflowsCursorLine ? Math.floor(this.#cursor.column / width) : 0;
      const row = above.reduce((sum, rows) => sum + rows, 0) + within;
      this.#cursor = { row, column: 0 };
    }
    this.#shown = [];
  }
}

function sameRows(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((row, index) => row === others[index]);
}

function cursorOf({ rows, cursor }: LiveRows): { row: number; column: number } {
  if (cursor !== undefined && cursor.row >= 0) return cursor;
  return { row: Math.max(0, rows.length - 1), column: visibleWidth(rows.at(-1) ?? "") };
}

/** Moves the cursor from a row to a place, both counted from the first live row. */
function move(from: number, { row, column }: { row: number; column: number }): string {
  const vertical = row > from ? down(row - from) : up(from - row);
  return `${vertical}\u001b[${column + 1}G`;
}

function up(rows: number): string {
  return rows === 0 ? "" : `\u001b[${rows}A`;
}

function down(rows: number): string {
  return rows === 0 ? "" : `\u001b[${rows}B`;
}
