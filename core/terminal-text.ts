/** Text of models, tools, hooks and files, made safe for a terminal: without escape sequences and control characters. */

/** Characters that a terminal acts on: C0 but newline and tab, DEL, and C1. */
const CONTROL = /(?![\n\t])\p{Cc}/u;
/** Longest part of one sequence that is dropped, so that a sequence without an end cannot hide what follows. */
const MOST_DROPPED = 4096;

const ESCAPE = 0x1b;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BELL = 0x07;
const DELETE = 0x7f;
const CSI = 0x9b;
const STRING_END = 0x9c;
/** What follows ESC to begin a string: DCS, SOS, OSC, PM, APC. In C1 the same codes plus 0x40. */
const STRING_STARTS: ReadonlySet<number> = new Set([0x50, 0x58, 0x5d, 0x5e, 0x5f]);

type State =
  | "text"
  /** Behind ESC. */
  | "escape"
  /** Inside `ESC [ … final`. */
  | "control-sequence"
  /** Inside an operating system command or its kin, which ends with BEL or ST. */
  | "string"
  /** Behind ESC inside a string. */
  | "string-escape";

/**
 * Removes escape sequences (ECMA-48) and control characters other than newline and tab. A carriage return becomes a
 * newline. Keeps its state from call to call, because a sequence may be split over the deltas of a stream; a sequence
 * that does not end is given up at a newline or after 4,096 characters.
 */
export class TerminalFilter {
  #state: State = "text";
  #dropped = 0;
  #afterReturn = false;

  /** The text that may be written to a terminal. */
  take(text: string): string {
    if (this.#state === "text" && !this.#afterReturn && !CONTROL.test(text)) return text;
    let kept = "";
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (this.#state !== "text" && this.#drops(code)) continue;
      kept += this.#plain(text[index]!, code);
    }
    return kept;
  }

  /** What is left of a character outside of sequences. Begins a sequence where it starts one. */
  #plain(character: string, code: number): string {
    const afterReturn = this.#afterReturn;
    this.#afterReturn = code === RETURN;
    if (code === RETURN) return "\n";
    if (code === NEWLINE) return afterReturn ? "" : "\n";
    if (code === ESCAPE) this.#enter("escape");
    else if (code === CSI) this.#enter("control-sequence");
    else if (STRING_STARTS.has(code - 0x40) && code >= 0x80) this.#enter("string");
    return CONTROL.test(character) ? "" : character;
  }

  #enter(state: State): void {
    this.#state = state;
    this.#dropped = 0;
  }

  /** True when the character belongs to the sequence. False ends the sequence: the character is looked at again. */
  #drops(code: number): boolean {
    if (code === NEWLINE || code === RETURN || ++this.#dropped > MOST_DROPPED) return this.#end(false);
    switch (this.#state) {
      case "escape":
        return this.#escape(code);
      case "control-sequence":
        if (code >= 0x20 && code <= 0x3f) return true;
        return this.#end(code >= 0x40 && code < DELETE);
      case "string":
        if (code === ESCAPE) this.#state = "string-escape";
        if (code === BELL || code === STRING_END) this.#state = "text";
        return true;
      case "string-escape":
        // ESC \ ends the string; any other character behind ESC cancels it and begins a sequence of its own.
        if (code === 0x5c) return this.#end(true);
        return this.#escape(code);
      case "text":
        return false;
    }
  }

  #escape(code: number): boolean {
    if (code === 0x5b) this.#state = "control-sequence";
    else if (STRING_STARTS.has(code)) this.#state = "string";
    // Intermediate bytes, as in `ESC ( B`, keep the sequence open.
    else if (code >= 0x20 && code <= 0x2f) this.#state = "escape";
    else return this.#end(code >= 0x30 && code < DELETE);
    return true;
  }

  #end(drops: boolean): boolean {
    this.#state = "text";
    return drops;
  }
}

/** One complete text, made safe for a terminal. */
export function terminalText(text: string): string {
  return new TerminalFilter().take(text);
}
