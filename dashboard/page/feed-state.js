/** The last events, those that match the filter, and whether the list is paused. No DOM. */
import { countActive, createMatcher, EVERYTHING } from "./filter.js";
import { TextRuns } from "./text-run.js";

/** @typedef {import("./events.js").Row} Row */
/** @typedef {import("./filter.js").Filter} Filter */

/** How many events are kept. */
export const MOST_ROWS = 10_000;
/** The total size of their contexts, in characters, so that a few big ones cannot fill the memory. */
const MOST_CHARACTERS = 32 * 1024 * 1024;

/** A list that grows at its end and shrinks at its beginning, both in constant time. */
class Queue {
  /** @type {(Row | undefined)[]} */
  #rows = [];
  #first = 0;

  get size() {
    return this.#rows.length - this.#first;
  }

  /** @param {Row} row */
  push(row) {
    this.#rows.push(row);
  }

  shift() {
    const row = this.#rows[this.#first];
    this.#rows[this.#first] = undefined;
    this.#first++;
    if (this.#first > 1000 && this.#first * 2 > this.#rows.length) {
      this.#rows = this.#rows.slice(this.#first);
      this.#first = 0;
    }
    return row;
  }

  /** @param {number} index from the oldest one */
  at(index) {
    return this.#rows[this.#first + index];
  }

  clear() {
    this.#rows = [];
    this.#first = 0;
  }

  *[Symbol.iterator]() {
    for (let index = this.#first; index < this.#rows.length; index++) {
      const row = this.#rows[index];
      if (row !== undefined) yield row;
    }
  }
}

export class Feed {
  #rows = new Queue();
  /** Rows, and where pieces are joined, the texts they belong to. */
  #shown = new Queue();
  #runs = new TextRuns();
  #characters = 0;
  /** @type {Filter} */
  #filter = EVERYTHING;
  #matches = createMatcher(EVERYTHING);
  /** The newest event of a paused list; null when it is live. @type {number | null} */
  #heldAt = null;
  #waiting = 0;
  #last = 0;

  /** How many rows match the filter. */
  get count() {
    return this.#shown.size;
  }

  /** How many events are kept. */
  get size() {
    return this.#rows.size;
  }

  get filter() {
    return this.#filter;
  }

  /** Whether the filter holds nothing back. */
  get isWhole() {
    return countActive(this.#filter) === 0;
  }

  get isHeld() {
    return this.#heldAt !== null;
  }

  /** How many matching rows have arrived since the list was paused. */
  get waiting() {
    return this.#waiting;
  }

  /** The number of the newest event, 0 before the first. */
  get last() {
    return this.#last;
  }

  /** @param {Row} row newer than all before */
  add(row) {
    this.#last = row.seq;
    const run = this.#runs.take(row);
    if (run !== undefined) row.run = run;
    this.#rows.push(row);
    this.#characters += row.text.length;
    const entry = this.#entryOf(row);
    if (entry === undefined) this.#grown(row);
    else if (this.#matches(entry)) {
      if (this.#heldAt === null) this.#shown.push(entry);
      else this.#waiting++;
    }
    while (this.#rows.size > MOST_ROWS || (this.#characters > MOST_CHARACTERS && this.#rows.size > 1))
      this.#dropOldest();
  }

  /**
   * A row that is shown.
   *
   * @param {number} index from the newest one
   */
  at(index) {
    return this.#shown.at(this.#shown.size - 1 - index);
  }

  /**
   * Where the row with this number is shown, counted from the newest; -1 when it is not.
   *
   * @param {number} seq
   */
  indexOf(seq) {
    let low = 0;
    let high = this.#shown.size - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#shown.at(middle)?.seq ?? 0;
      if (found === seq) return this.#shown.size - 1 - middle;
      if (found < seq) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** The event with this number, whether it is shown or not. @param {number} seq */
  find(seq) {
    for (const row of this.#rows) if (row.seq === seq) return row;
    return undefined;
  }

  /** @param {Filter} filter */
  setFilter(filter) {
    this.#filter = filter;
    this.#matches = createMatcher(filter);
    this.#choose();
  }

  /** Pauses the list; new events wait. */
  hold() {
    this.#heldAt ??= this.#last;
  }

  /** Resumes the list with all waiting events. */
  release() {
    this.#heldAt = null;
    this.#choose();
  }

  /** Forgets all events, but not the filter. */
  clear() {
    this.#rows.clear();
    this.#runs.clear();
    this.#characters = 0;
    this.#last = 0;
    this.release();
  }

  #choose() {
    this.#shown.clear();
    this.#waiting = 0;
    for (const row of this.#rows) {
      const entry = this.#entryOf(row);
      if (entry === undefined || !this.#matches(entry)) continue;
      if (this.#heldAt === null || row.seq <= this.#heldAt) this.#shown.push(entry);
      else this.#waiting++;
    }
  }

  /**
   * What the list has for a row: the row itself, or the whole text for its first piece; nothing for further pieces.
   *
   * @param {Row} row
   * @returns {Row | undefined}
   */
  #entryOf(row) {
    if (this.#filter.pieces || row.run === undefined) return row;
    return row.run.seq === row.seq ? row.run : undefined;
  }

  /**
   * A text has grown: with a filter by text, it may be the first time that it has the words.
   *
   * @param {Row} row
   */
  #grown({ run }) {
    if (run === undefined || this.#filter.text.trim() === "" || this.indexOf(run.seq) !== -1) return;
    if (this.#matches(run)) this.#choose();
  }

  #dropOldest() {
    const row = this.#rows.shift();
    if (row === undefined) return;
    this.#characters -= row.text.length;
    const entry = this.#entryOf(row);
    // A text whose first piece is gone has no row; later pieces begin another one.
    if (row.run !== undefined && row.run.seq === row.seq) this.#runs.close(row.run);
    if (this.#shown.at(0)?.seq === row.seq) this.#shown.shift();
    else if (this.#heldAt !== null && row.seq > this.#heldAt && entry !== undefined && this.#matches(entry))
      this.#waiting--;
  }
}
