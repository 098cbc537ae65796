/** Ctrl+R: searches the messages of earlier conversations from the newest one back. */
import { decodePrintableKey, matchesKey } from "@earendil-works/pi-tui/dist/keys.js";
import { textWidth, fitLine } from "../../text-width.ts";
import type { LiveRows } from "./live-screen.ts";
import type { Palette } from "./palette.ts";

/** The first one that fits is shown. */
const HINTS = ["Enter sends, Tab edits, Ctrl+R goes further back, Esc leaves", "Enter sends, Tab edits, Esc leaves"];

/** Ends the search with the text for the line; `send` is true when Enter took it. */
export type EndSearch = (text: string, send: boolean) => void;

export class HistorySearch {
  readonly #palette: Palette;
  readonly #newestFirst: readonly string[];
  readonly #draft: string;
  readonly #end: EndSearch;
  #words = "";
  /** Which of the entries is shown; -1 when none holds the words. */
  #at = -1;

  constructor(palette: Palette, entries: readonly string[], draft: string, end: EndSearch) {
    this.#palette = palette;
    this.#newestFirst = entries.toReversed();
    this.#draft = draft;
    this.#end = end;
  }

  press(key: string): void {
    if (matchesKey(key, "ctrl+r") || matchesKey(key, "up")) this.#find(this.#at + 1, this.#at);
    else if (matchesKey(key, "enter")) this.#end(this.#found ?? this.#draft, this.#found !== undefined);
    else if (matchesKey(key, "tab") || matchesKey(key, "right")) this.#end(this.#found ?? this.#draft, false);
    else if (matchesKey(key, "escape") || matchesKey(key, "ctrl+g")) this.#end(this.#draft, false);
    else if (matchesKey(key, "backspace")) this.#search(this.#words.replace(/.$/su, ""));
    else this.#search(this.#words + printable(key));
  }

  render(width: number): LiveRows {
    const label = this.#at === -1 && this.#words !== "" ? "no match for " : "search: ";
    const shown = this.#found ?? "";
    const hint = HINTS.find((text) => text.length <= width) ?? "";
    const prompt = fitLine(`${label}${this.#words}`, width - 1);
    return {
      rows: [
        ...shown
          .split("\n")
          .slice(0, 5)
          .map((line) => fitLine(line, width)),
        prompt,
        this.#palette.dim(fitLine(hint, width)),
      ].filter((row, index) => index > 0 || row !== ""),
      cursor: { row: shown === "" ? 0 : Math.min(5, shown.split("\n").length), column: textWidth(prompt) },
    };
  }

  get #found(): string | undefined {
    return this.#newestFirst[this.#at];
  }

  #search(words: string): void {
    this.#words = words;
    if (words === "") this.#at = -1;
    else this.#find(0, -1);
  }

  /** Shows the first entry from `start` on that holds the words, else the one at `otherwise`. */
  #find(start: number, otherwise: number): void {
    const words = this.#words.toLowerCase();
    const current = this.#found;
    const found = this.#newestFirst.findIndex(
      (entry, index) => index >= start && entry !== current && entry.toLowerCase().includes(words),
    );
    this.#at = found === -1 ? otherwise : found;
  }
}

function printable(key: string): string {
  const decoded = decodePrintableKey(key);
  if (decoded !== undefined) return decoded;
  if (key.startsWith("\u001b[200~")) return key.slice(6, -6).split("\n")[0] ?? "";
  return key.charCodeAt(0) >= 32 && key.charCodeAt(0) !== 127 ? key : "";
}
