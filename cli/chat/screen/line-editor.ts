/** The line that the user types on: several lines, pastes as one mark, completion and history (pi-tui's editor). */
import { Editor, wordWrapLine } from "@earendil-works/pi-tui/dist/components/editor.js";
import { matchesKey } from "@earendil-works/pi-tui/dist/keys.js";
import { CURSOR_MARKER, FAKE_CURSOR_END, FAKE_CURSOR_START, type TUI } from "@earendil-works/pi-tui/dist/tui.js";
import { visibleWidth } from "@earendil-works/pi-tui/dist/utils.js";
import { visible } from "#allowlist/visible";
import type { Complete } from "../completion.ts";
import type { LiveRows } from "./live-screen.ts";
import type { Palette } from "./palette.ts";

/** What the editor needs of the screen. */
export interface EditorHost {
  readonly palette: Palette;
  readonly rows: () => number;
  readonly refresh: () => void;
}

/** Takes the place of the borders that the editor draws, which are not shown. */
const BORDER = "\u{f0000}";
/** Takes the place of a tab in pasted text, because the editor would make blanks of it. */
const TAB = "\u{f0001}";
/** Before every row of a message but the first. */
export const CONTINUATION = "… ";

export class LineEditor {
  readonly #editor: Editor;
  /** True after the arrow keys moved through the completions: Enter takes the one that is marked. */
  #chosen = false;
  #complete: Complete | undefined;
  /** True when the last key was Tab. */
  #asked = false;
  /** Called with the complete text when Enter is pressed. */
  onSubmit: (text: string) => void = () => undefined;

  constructor({ palette, rows, refresh }: EditorHost) {
    const terminal = {
      get rows() {
        return rows();
      },
    };
    // The editor asks its owner for the height of the terminal and for another drawing, and for nothing else.
    const owner = { terminal, requestRender: refresh } as unknown as TUI;
    this.#editor = new Editor(owner, {
      borderColor: () => BORDER,
      selectList: {
        selectedPrefix: palette.cyan,
        selectedText: palette.cyan,
        description: palette.dim,
        scrollInfo: palette.dim,
        noMatch: palette.dim,
      },
    });
    this.#editor.focused = true;
    this.#editor.onSubmit = (text) => this.onSubmit(text.replaceAll(TAB, "\t"));
  }

  get editor(): Editor {
    return this.#editor;
  }

  get isEmpty(): boolean {
    return this.#editor.getText() === "";
  }

  /** The text, with pastes in full. */
  get text(): string {
    return this.#editor.getExpandedText().replaceAll(TAB, "\t");
  }

  set text(text: string) {
    this.#editor.setText(text.replaceAll("\t", TAB));
  }

  /** Takes one key. */
  press(key: string): void {
    const listed = this.#editor.isShowingAutocomplete();
    this.#asked = matchesKey(key, "tab");
    if (this.#asked && !listed && this.#insertCommon()) return;
    if (!listed) this.#chosen = this.#asked;
    else if (matchesKey(key, "up") || matchesKey(key, "down")) this.#chosen = true;
    // Enter sends what was typed; only a completion that was looked for is taken instead.
    else if (matchesKey(key, "enter") && !this.#chosen) this.#editor.handleInput("\u001b");
    this.#editor.handleInput(key.startsWith("\u001b[200~") ? key.replaceAll("\t", TAB) : key);
    if (this.#editor.isShowingAutocomplete() && !this.#hasCompletions()) this.#editor.handleInput("\u001b");
  }

  /** False when a key took away what the list of completions was for. */
  #hasCompletions(): boolean {
    const { line, col } = this.#editor.getCursor();
    return (this.#completion(this.#editor.getLines(), line, col)?.candidates.length ?? 0) > 0;
  }

  /** The rows that begin a line of the text; the others continue a long one. Unknown where not all rows show. */
  #lineStarts(room: number, count: number): ReadonlySet<number> {
    const starts = new Set<number>();
    let row = 0;
    for (const line of this.#editor.getLines()) {
      starts.add(row);
      // The editor keeps a column for the cursor.
      row += wordWrapLine(line, room - 1).length;
    }
    return row === count ? starts : new Set();
  }

  /**
   * Completes what is typed: on Tab, and, while `mayList` says so, by itself for commands and `@files`. Tab inserts
   * what all candidates have in common, and lists them when there are several.
   */
  completeWith(complete: Complete, mayList: () => boolean): void {
    this.#complete = complete;
    this.#editor.setAutocompleteProvider({
      getSuggestions: async (lines, line, column) => {
        const found = this.#asked || mayList() ? this.#completion(lines, line, column) : undefined;
        if (found === undefined || found.candidates.length === 0) return null;
        const items = found.candidates.map(({ value, description = "" }) => ({
          value,
          label: visible(value),
          description: visible(description),
        }));
        return { items, prefix: found.word };
      },
      applyCompletion: (lines, line, column, { value }) => {
        const word = this.#completion(lines, line, column)?.word ?? "";
        const text = lines[line] ?? "";
        const start = text.slice(0, column - word.length) + value;
        const changed = lines.map((other, index) => (index === line ? start + text.slice(column) : other));
        return { lines: changed, cursorLine: line, cursorCol: start.length };
      },
    });
  }

  /** Completions of the text before the cursor; commands are completed in the first line only. */
  #completion(lines: readonly string[], line: number, column: number) {
    const before = (lines[line] ?? "").slice(0, column);
    return line > 0 && before.startsWith("/") ? undefined : this.#complete?.(before);
  }

  /** Inserts what all candidates for the word at the cursor have in common. True when that is all there is to do. */
  #insertCommon(): boolean {
    const { line, col } = this.#editor.getCursor();
    const found = this.#completion(this.#editor.getLines(), line, col);
    if (found === undefined || found.candidates.length === 0) return true;
    const values = found.candidates.map(({ value }) => value);
    const common = values.reduce(commonStart);
    const more = common.startsWith(found.word) ? common.slice(found.word.length) : "";
    if (more !== "") this.#editor.insertTextAtCursor(more);
    return values.length === 1 && common.startsWith(found.word);
  }

  /** The rows of the text behind `prompt`, and, where they are asked for, of the completions below it. */
  render(prompt: string, width: number, { completions = true } = {}): LiveRows {
    const margin = Math.max(visibleWidth(prompt), visibleWidth(CONTINUATION));
    const room = Math.max(4, width - margin);
    const rows = this.#editor.render(room).map(plainCursor);
    const end = rows.lastIndexOf(BORDER);
    const typed = rows.slice(1, end);
    const row = typed.findIndex((line) => line.includes(CURSOR_MARKER));
    const text = typed[row] ?? "";
    const before = text.slice(0, Math.max(0, text.indexOf(CURSOR_MARKER)));
    const starts = this.#lineStarts(room, typed.length);
    const pad = (mark: string) => mark + " ".repeat(margin - visibleWidth(mark));
    const markOf = (index: number) => (index === 0 ? prompt : starts.has(index) ? CONTINUATION : "");
    return {
      rows: [
        ...typed.map((line, index) => pad(markOf(index)) + shown(line)),
        ...(completions ? rows.slice(end + 1).map((line) => line.trimEnd()) : []),
      ],
      cursor: { row: Math.max(0, row), column: margin + visibleWidth(before) },
    };
  }
}

function commonStart(some: string, other: string): string {
  let length = 0;
  while (length < some.length && some[length] === other[length]) length++;
  return some.slice(0, length);
}

/** The terminal's own cursor is shown, not one that is drawn. */
function plainCursor(row: string): string {
  return row.replace(FAKE_CURSOR_START, "").replace(FAKE_CURSOR_END, "");
}

function shown(row: string): string {
  return row.replace(CURSOR_MARKER, "").replaceAll(TAB, " ").trimEnd();
}
