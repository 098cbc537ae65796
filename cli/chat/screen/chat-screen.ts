/** The screen of a conversation: its output, and below it the answer that arrives, the status and the user's line. */
import type { WriteStream } from "node:tty";
import { wrapTextWithAnsi } from "@earendil-works/pi-tui/dist/utils.js";
import { showsColors } from "#core/styled-text";
import { terminalText } from "#core/terminal-text";
import type { Complete } from "../completion.ts";
import type { MessageHistory } from "../message-history.ts";
import { afterKeys } from "../quiet-moment.ts";
import { Activity, TICK_MS, type ContextMeter } from "./activity.ts";
import { LineEditor } from "./line-editor.ts";
import { LiveScreen, type LiveRows } from "./live-screen.ts";
import { createPalette, type Palette } from "./palette.ts";
import { ScreenLine } from "./screen-line.ts";
import { openDevice, openKeyboard, type Keyboard } from "./terminal-device.ts";

/** Gives at most `height` rows of what is not complete yet. */
export type Tail = (width: number, height: number) => readonly string[];

/** A program that still runs so long after SIGTSTP was not stopped. */
const STOPPED_MS = 200;

export interface ScreenOptions {
  /** True when the user types on this screen, so that Esc is a key. */
  readonly typing: boolean;
  /** False with `-Q`. */
  readonly showsStatus: boolean;
  /** How full the model's context is, for the status. */
  readonly meter?: ContextMeter;
}

/** However much is typed, this much of an answer shows. */
const LEAST_TAIL = 3;

export class ChatScreen implements Disposable {
  readonly palette: Palette;
  readonly activity: Activity;
  readonly #device: ReturnType<typeof openDevice>;
  readonly #live: LiveScreen;
  readonly #undo: (() => void)[] = [];
  /** Lets this process write to the terminal by itself again. */
  #release: () => void = () => undefined;
  #tail: Tail | undefined;
  #line: ScreenLine | undefined;
  readonly #showsStatus: boolean;
  /** True while a question waits for the user: then nothing else is awaited. */
  #asking = false;

  constructor(output: WriteStream, { typing, showsStatus, meter }: ScreenOptions) {
    this.#device = openDevice(output);
    this.#showsStatus = showsStatus;
    this.palette = createPalette(showsColors(output === process.stderr ? 2 : 1));
    this.activity = new Activity({ stopHint: typing ? "Esc stops" : "Ctrl+C stops", meter });
    this.#live = new LiveScreen(this.#device, (width, height) => this.#render(width, height));
    this.#capture();
    const resized = () => this.#live.refresh();
    output.on("resize", resized);
    const exit = () => this.close();
    process.on("exit", exit);
    const timer = setInterval(() => this.activity.isRunning && this.#live.refresh(), TICK_MS).unref();
    this.#undo.push(
      () => this.#release(),
      () => clearInterval(timer),
      () => output.off("resize", resized),
      () => process.off("exit", exit),
    );
  }

  get columns(): number {
    return this.#device.columns;
  }

  /** Opens the line that the user types on. It shows a draft's prompt until `prompt()` is called. */
  openLine(history: MessageHistory, complete: Complete): ScreenLine {
    const host = {
      palette: this.palette,
      rows: () => this.#device.rows,
      columns: () => this.#device.columns,
      refresh: () => this.#live.refresh(),
      keep: (rows: readonly string[]) => this.#live.keep(rows),
      print: (text: string) => this.#live.print(text),
      clear: () => this.#live.clear(),
      keyboard: (onKey: (key: string) => void, onEnd: () => void) => openKeyboard(this.#device, onKey, onEnd),
      flush: () => this.#live.flush(),
      later: afterKeys,
      suspend: (keyboard: Keyboard) => this.#suspend(keyboard),
    };
    const editor = new LineEditor(host);
    const line = new ScreenLine(host, editor, history);
    // During a turn the answer has the screen: completions come when they are asked for.
    editor.completeWith(complete, () => !line.isBusy);
    this.#line = line;
    return line;
  }

  /** Prints text, which may have colours, above everything that is not complete. */
  print(text: string): void {
    this.#live.print(text);
  }

  /** Prints complete rows. */
  printRows(rows: readonly string[]): void {
    this.#live.endLine();
    if (rows.length > 0) this.#live.print(`${rows.join("\n")}\n`);
  }

  /** Prints what a command says, wrapped at words. */
  say(text: string): void {
    this.printRows(this.#wrap(terminalText(text.replace(/\n$/, ""))));
  }

  /** Prints a sentence in faint letters, wrapped at words. */
  printFaint(sentence: string): void {
    this.printRows(this.#wrap(terminalText(sentence)).map(this.palette.dim));
  }

  /** Completes the line that was printed without an end. */
  endLine(): void {
    this.#live.endLine();
  }

  /** Shows what is not complete yet, until it is called without it. */
  setTail(tail: Tail | undefined): void {
    this.#tail = tail;
    this.#live.refresh();
  }

  /** Nothing is awaited any more: the status goes, and an empty row parts what comes next. */
  endTurn(): void {
    this.activity.end();
    this.printRows([""]);
  }

  refresh(): void {
    this.#live.refresh();
  }

  /** Draws what waits to be drawn. */
  flush(): void {
    this.#live.flush();
  }

  /** Runs `task` while a question has the terminal. */
  async asking<Value>(task: () => Promise<Value>): Promise<Value> {
    this.#asking = true;
    const isElsewhere = this.#line === undefined;
    if (isElsewhere) {
      this.#live.pause();
      this.#release();
    }
    try {
      return await task();
    } finally {
      this.#asking = false;
      if (isElsewhere) {
        this.#capture();
        this.#live.resume();
      }
    }
  }

  /** Leaves the terminal as it was, with the cursor on a free line. */
  close(): void {
    this.#live.close();
    for (const undo of this.#undo.splice(0)) undo();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #wrap(text: string): string[] {
    return wrapTextWithAnsi(text, this.columns);
  }

  #capture(): void {
    this.#release = this.#device.capture((text, stream) => {
      // Notices are sentences; results stay as they are, so that they can be copied.
      const isSentence = stream === "stderr" && text.endsWith("\n");
      this.#live.print(isSentence ? `${this.#wrap(text.slice(0, -1)).join("\n")}\n` : text);
    });
  }

  #render(width: number, height: number): LiveRows {
    const line = this.#line?.render(width) ?? { rows: [] };
    const status = this.#asking || !this.#showsStatus ? undefined : this.activity.line(width);
    const said = status === undefined ? [] : [this.palette.dim(status)];
    // The status is no part of the answer above it.
    const gap = this.#tail === undefined || said.length === 0 ? [] : [""];
    const below = gap.length + said.length + line.rows.length;
    const tail = this.#tail?.(width, Math.max(LEAST_TAIL, height - below)) ?? [];
    const above = [...tail, ...gap, ...said];
    return {
      rows: [...above, ...line.rows],
      cursor: line.cursor && { row: line.cursor.row + above.length, column: line.cursor.column },
    };
  }

  /**
   * Ctrl+Z: stops the program, and draws again when the shell continues it. Without a shell that could do so the system
   * does not stop it, and nothing happens.
   */
  #suspend(keyboard: Keyboard): void {
    this.#live.pause();
    keyboard.pause();
    const resume = () => {
      process.off("SIGCONT", resume);
      clearTimeout(timer);
      keyboard.resume();
      this.#live.resume();
    };
    const timer = setTimeout(resume, STOPPED_MS);
    process.once("SIGCONT", resume);
    process.kill(process.pid, "SIGTSTP");
  }
}
