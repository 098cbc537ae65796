/** The line that the user types on, at the bottom of the screen: during a turn it is the draft of the next message. */
import { matchesKey } from "@earendil-works/pi-tui/dist/keys.js";
import { visible } from "#allowlist/visible";
import { HermesError } from "#core/errors";
import { fitLine } from "../../text-width.ts";
import type { InputLine } from "../input-line.ts";
import type { MessageHistory } from "../message-history.ts";
import { HistorySearch } from "./history-search.ts";
import { CONTINUATION, LineEditor, type EditorHost } from "./line-editor.ts";
import { QuietMoment, type Later } from "../quiet-moment.ts";
import type { LiveRows } from "./live-screen.ts";
import type { Keyboard } from "./terminal-device.ts";

const PROMPT = "› ";
/** During a turn: what is typed now is sent after it. */
const DRAFT = "▹ ";
const MOST_QUEUED = 3;

interface Question {
  readonly prompt: string;
  readonly editor: LineEditor;
}

/** A question from its first drawing on. Before it has the line, keys go to the draft. */
interface Asked {
  readonly moment: QuietMoment;
  readonly take: (answer: string) => void;
  readonly stop: () => void;
}

export interface ScreenLineHost extends EditorHost {
  /** Reads keys from now on, as {@link Keyboard} says. */
  readonly keyboard: (onKey: (key: string) => void, onEnd: () => void) => Keyboard;
  /** Draws what waits to be drawn. */
  readonly flush: () => void;
  readonly later: Later;
  /** Leaves rows in the output, where they are on the screen. */
  readonly keep: (rows: readonly string[]) => void;
  readonly print: (text: string) => void;
  readonly columns: () => number;
  readonly clear: () => void;
  /** Stops the program as the shell's Ctrl+Z does, and returns when it continues. */
  readonly suspend: (keyboard: Keyboard) => void;
}

export class ScreenLine implements InputLine {
  readonly #host: ScreenLineHost;
  readonly #history: MessageHistory;
  readonly #message: LineEditor;
  readonly #keyboard: Keyboard;
  #question: Question | undefined;
  #asked: Asked | undefined;
  #search: HistorySearch | undefined;
  #queued: readonly string[] = [];
  /** The message that was typed last, with its rows on the screen. */
  #typed: { text: string; rows: readonly string[] } = { text: "", rows: [] };
  #busy = true;
  #closed = false;
  readonly #listeners = {
    message: (_: string): void => undefined,
    interrupt: (): void => undefined,
    escape: (): void => undefined,
    end: (): void => undefined,
  };

  constructor(host: ScreenLineHost, message: LineEditor, history: MessageHistory) {
    this.#host = host;
    this.#history = history;
    this.#message = message;
    for (const entry of history.entries) message.editor.addToHistory(entry);
    message.onSubmit = (text) => this.#submit(text);
    this.#keyboard = host.keyboard(
      (key) => this.#press(key),
      () => this.#end(),
    );
  }

  /** True while a turn runs. */
  get isBusy(): boolean {
    return this.#busy;
  }

  prompt(): void {
    this.#busy = false;
    this.#host.refresh();
  }

  begin(text: string): void {
    this.#busy = true;
    const rows = this.#typed.text === text ? this.#typed.rows : rowsOf(text);
    this.#host.keep(rows);
    this.#host.print("\n");
  }

  readonly answer = async (prompt: string, signal: AbortSignal): Promise<string> => {
    if (this.#closed || signal.aborted) throw new HermesError("HERMES_INTERRUPTED", {});
    const settled = Promise.withResolvers<string>();
    const editor = new LineEditor(this.#host);
    const take = (text: string) => {
      this.#host.keep([prompt + visible(text)]);
      settled.resolve(text);
    };
    editor.onSubmit = take;
    const stop = () => settled.reject(new HermesError("HERMES_INTERRUPTED", {}));
    signal.addEventListener("abort", stop, { once: true });
    this.#keyboard.drain();
    this.#host.flush();
    const over = () => {
      this.#question = { prompt, editor };
      this.#host.refresh();
    };
    const moment = new QuietMoment({ isEmpty: this.#message.isEmpty, over, later: this.#host.later });
    this.#asked = { moment, take, stop };
    try {
      return await settled.promise;
    } finally {
      moment.cancel();
      this.#asked = undefined;
      this.#question = undefined;
      signal.removeEventListener("abort", stop);
      this.#host.refresh();
    }
  };

  onMessage(listener: (text: string) => void): void {
    this.#listeners.message = listener;
  }

  onInterrupt(listener: () => void): void {
    this.#listeners.interrupt = listener;
  }

  onEscape(listener: () => void): void {
    this.#listeners.escape = listener;
  }

  onEnd(listener: () => void): void {
    this.#listeners.end = listener;
  }

  showQueued(messages: readonly string[]): void {
    this.#queued = messages;
    this.#host.refresh();
  }

  putBack(messages: readonly string[]): boolean {
    this.#message.text = [...messages, this.#message.text].filter((text) => text !== "").join("\n");
    this.showQueued([]);
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#keyboard.close();
    this.#asked?.stop();
    this.#host.refresh();
  }

  /** The rows at the bottom of the screen. */
  render(width: number): LiveRows {
    if (this.#closed) return { rows: [] };
    if (this.#question !== undefined) return this.#question.editor.render(this.#question.prompt, width);
    if (this.#search !== undefined) return this.#search.render(width);
    const { palette } = this.#host;
    const waiting = this.#queued.slice(0, MOST_QUEUED).map((text) => `queued: ${text}`);
    if (this.#queued.length > MOST_QUEUED) waiting.push(`and ${this.#queued.length - MOST_QUEUED} more queued`);
    const { rows, cursor } = this.#message.render(this.#busy ? DRAFT : PROMPT, width);
    return {
      rows: [...waiting.map((text) => palette.dim(`  ${fitLine(text, width - 2)}`)), ...rows],
      cursor: cursor && { row: cursor.row + waiting.length, column: cursor.column },
    };
  }

  #press(key: string): void {
    if (this.#closed) return;
    this.#asked?.moment.typed();
    const editor = this.#question?.editor ?? this.#message;
    if (matchesKey(key, "ctrl+c")) this.#interrupt();
    else if (matchesKey(key, "ctrl+z")) this.#host.suspend(this.#keyboard);
    else if (matchesKey(key, "ctrl+l")) this.#host.clear();
    else if (this.#search !== undefined) this.#search.press(key);
    else if (matchesKey(key, "ctrl+d") && editor.isEmpty) this.#end();
    else if (matchesKey(key, "ctrl+r") && this.#question === undefined) this.#startSearch();
    else if (matchesKey(key, "escape") && !editor.editor.isShowingAutocomplete()) this.#listeners.escape();
    else {
      const { rows } = this.#message.render(PROMPT, this.#host.columns(), { completions: false });
      this.#typed = { text: this.#message.text, rows };
      editor.press(key);
    }
    this.#host.refresh();
  }

  #interrupt(): void {
    this.#search = undefined;
    if (!this.#busy) this.#message.text = "";
    this.#listeners.interrupt();
  }

  #end(): void {
    this.#asked?.stop();
    this.#listeners.end();
  }

  #startSearch(): void {
    this.#search = new HistorySearch(this.#host.palette, this.#history.entries, this.#message.text, (text, send) => {
      this.#search = undefined;
      this.#message.text = text;
      if (send) this.#press("\r");
    });
  }

  #submit(text: string): void {
    if (text.trim() === "") return;
    if (this.#asked?.moment.isAnswer(text) === true) return this.#asked.take(text);
    this.#message.editor.addToHistory(text);
    this.#history.add(text);
    this.#typed = { ...this.#typed, text };
    this.#listeners.message(text);
  }
}

/** A message that waited, as it would look on the line. */
function rowsOf(text: string): string[] {
  return text.split("\n").map((line, index) => (index === 0 ? PROMPT : CONTINUATION) + line);
}
