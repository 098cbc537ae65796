/** Joins the pieces of one answer, or of one thought, to a single row of the feed that grows. No DOM. */
import { DELTAS } from "./events.js";
import { counted, oneLine } from "./format.js";

/** @typedef {import("./events.js").Row} Row */

/** After these of the same session, the next piece begins another text. */
const ENDS = new Set([
  "tui:message.start",
  "tui:message.complete",
  "tui:tool.start",
  "tui:turn.complete",
  "tui:error",
  "agent:start",
  "agent:end",
]);
/** What is kept of a text; its pieces have all of it. */
const MOST_CHARACTERS = 20_000;
const MOST_OPEN = 500;

/** A text that is still written. It has the fields of a row, those of its first piece, and grows with each further one. */
class TextRun {
  #words = "";
  /** How many pieces it has. */
  pieces = 0;

  /** @param {Row} first */
  constructor(first) {
    this.seq = first.seq;
    this.at = first.at;
    this.src = first.src;
    this.type = first.type;
    this.namespace = first.namespace;
    this.session = first.session;
    this.tone = first.tone;
  }

  get summary() {
    const end = this.pieces > 1 ? `  (${counted(this.pieces, "piece")})` : "";
    return `${oneLine(this.#words)}${end}`;
  }

  /** The context that one event with the whole text would have. */
  get text() {
    return JSON.stringify({ session_id: this.session, payload: { text: this.#words } });
  }

  /** @param {string} words */
  grow(words) {
    this.pieces++;
    if (this.#words.length < MOST_CHARACTERS) this.#words = `${this.#words}${words}`.slice(0, MOST_CHARACTERS);
  }
}

/** The texts that are being written, by session and kind. */
export class TextRuns {
  /** @type {Map<string, TextRun>} */
  #open = new Map();

  /**
   * Takes a row. Returns the text that it belongs to, or undefined for one that is no piece of a text.
   *
   * @param {Row} row
   * @returns {TextRun | undefined}
   */
  take(row) {
    if (!DELTAS.has(row.type)) {
      if (ENDS.has(row.type)) this.#end(row);
      return undefined;
    }
    const key = keyOf(row, row.type);
    const run = this.#open.get(key) ?? new TextRun(row);
    this.#open.set(key, run);
    run.grow(row.piece ?? "");
    const [oldest] = this.#open.keys();
    if (this.#open.size > MOST_OPEN && oldest !== undefined) this.#open.delete(oldest);
    return run;
  }

  /**
   * Nothing is added to this text any more.
   *
   * @param {Pick<Row, "type" | "src" | "session">} run
   */
  close(run) {
    const key = keyOf(run, run.type);
    if (this.#open.get(key) === run) this.#open.delete(key);
  }

  clear() {
    this.#open.clear();
  }

  /** @param {Row} row */
  #end(row) {
    for (const type of DELTAS) this.#open.delete(keyOf(row, type));
  }
}

/**
 * @param {{ src: string, session: string }} row
 * @param {string} type
 */
function keyOf({ src, session }, type) {
  return `${type}\n${src}\n${session}`;
}
