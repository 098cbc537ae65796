/** The live feed: a list of up to 10,000 rows; only visible rows are elements of the page. */
import { el, setAttribute, setText } from "./dom.js";
import { clockTime, shortId } from "./format.js";

/** @typedef {import("./events.js").Row} Row */
/** @typedef {import("./feed-state.js").Feed} Feed */

const ROW_HEIGHT = 30;
/** In a narrow list, a row has two lines. */
const TWO_LINE_HEIGHT = 52;
const NARROW = 600;
/** Extra rows around the visible ones, for fast scrolling. */
const SPARE = 8;

export class FeedView {
  #feed;
  #list;
  #spacer = el("div", { class: "spacer", role: "presentation" });
  #window = el("div", { class: "window", role: "presentation" });
  #onChange;
  #onOpen;
  /** The elements of the visible rows, by number. @type {Map<number, HTMLElement>} */
  #elements = new Map();
  #height = 0;
  #rowHeight = ROW_HEIGHT;
  /** The row that the keys move from; null for none. @type {number | null} */
  #cursor = null;
  #isPaused = false;

  /**
   * @param {HTMLElement} list
   * @param {Feed} feed
   * @param {{ onChange: () => void, onOpen: (row: Row) => void }} handlers `onChange` asks for a drawing
   */
  constructor(list, feed, { onChange, onOpen }) {
    this.#list = list;
    this.#feed = feed;
    this.#onChange = onChange;
    this.#onOpen = onOpen;
    this.#spacer.append(this.#window);
    list.append(this.#spacer);
    list.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // Frozen from pointerdown on, so that a click hits the row it was aimed at.
    list.addEventListener("pointerdown", (event) => {
      if (this.#rowOf(event.target) !== undefined) this.#hold();
    });
    list.addEventListener("click", (event) => {
      const row = this.#rowOf(event.target);
      if (row === undefined) return;
      this.#setCursor(row.seq);
      onOpen(row);
    });
    new ResizeObserver(([entry]) => this.#resized(entry?.contentRect)).observe(list);
  }

  get isPaused() {
    return this.#isPaused;
  }

  /** Pauses the list until `resume`. */
  pause() {
    this.#isPaused = true;
    this.#hold();
  }

  /** Goes to the newest event and follows new ones. */
  resume() {
    this.#isPaused = false;
    this.#setCursor(null);
    this.#feed.release();
    this.#list.scrollTop = 0;
    this.#onChange();
  }

  /** Shows the newest rows after the filter has changed. */
  filtered() {
    this.#setCursor(null);
    this.#list.scrollTop = 0;
    this.#scrolled();
    this.#onChange();
  }

  /** Removes the cursor; a list that is not paused continues when its newest row is visible. */
  leave() {
    this.#setCursor(null);
    this.#scrolled();
  }

  /**
   * Moves the cursor by this many rows, down if positive. The first move puts it on the topmost visible row.
   *
   * @param {number} by
   */
  move(by) {
    const from = this.#cursor === null ? -1 : this.#feed.indexOf(this.#cursor);
    const to = from === -1 && Number.isFinite(by) ? Math.ceil(this.#list.scrollTop / this.#rowHeight) : from + by;
    const index = Math.max(0, Math.min(to, this.#feed.count - 1));
    const row = this.#feed.at(index);
    if (row === undefined) return;
    this.#hold();
    this.#setCursor(row.seq);
    this.#reveal(index);
    this.#onChange();
  }

  /** How many rows are visible. */
  get page() {
    return Math.max(1, Math.floor(this.#height / this.#rowHeight) - 1);
  }

  /** The row under the cursor. */
  get current() {
    return this.#cursor === null ? undefined : this.#feed.at(this.#feed.indexOf(this.#cursor));
  }

  /** Opens the row under the cursor. */
  open() {
    const row = this.current;
    if (row !== undefined) this.#onOpen(row);
  }

  draw() {
    const { count } = this.#feed;
    const rowHeight = this.#rowHeight;
    this.#spacer.style.height = `${count * rowHeight}px`;
    const first = Math.max(0, Math.floor(this.#list.scrollTop / rowHeight) - SPARE);
    const last = Math.min(count, first + Math.ceil(this.#height / rowHeight) + 2 * SPARE);
    this.#window.style.transform = `translateY(${first * rowHeight}px)`;
    /** @type {Map<number, Row>} */
    const wanted = new Map();
    for (let index = first; index < last; index++) {
      const row = this.#feed.at(index);
      if (row !== undefined) wanted.set(row.seq, row);
    }
    const free = [...this.#elements].filter(([seq]) => !wanted.has(seq));
    for (const [seq] of free) this.#elements.delete(seq);
    let next = this.#window.firstElementChild;
    for (const row of wanted.values()) {
      const known = this.#elements.get(row.seq);
      const element = known ?? fill(free.pop()?.[1] ?? newRow(), row);
      // A text that is being written grows in its row.
      if (known !== undefined && row.pieces !== undefined) fill(known, row);
      this.#elements.set(row.seq, element);
      setAttribute(element, "aria-selected", String(row.seq === this.#cursor));
      if (next !== null && element === next) next = next.nextElementSibling;
      else this.#window.insertBefore(element, next);
    }
    for (const [, element] of free) element.remove();
    const active = this.#cursor !== null && this.#elements.has(this.#cursor);
    setAttribute(this.#list, "aria-activedescendant", active ? `row-${this.#cursor}` : null);
  }

  #hold() {
    if (this.#feed.isHeld) return;
    this.#feed.hold();
    this.#onChange();
  }

  /** @param {number | null} seq */
  #setCursor(seq) {
    if (this.#cursor === seq) return;
    this.#cursor = seq;
    this.#onChange();
  }

  #scrolled() {
    const atTop = this.#list.scrollTop < this.#rowHeight / 2;
    if (!atTop) this.#feed.hold();
    else if (!this.#isPaused && this.#cursor === null && this.#feed.isHeld) this.#feed.release();
    this.#onChange();
  }

  /** @param {number} index of a row that must become visible */
  #reveal(index) {
    const top = index * this.#rowHeight;
    const { scrollTop } = this.#list;
    if (top < scrollTop) this.#list.scrollTop = top;
    else if (top + this.#rowHeight > scrollTop + this.#height) {
      this.#list.scrollTop = top + this.#rowHeight - this.#height;
    }
  }

  /** @param {DOMRectReadOnly | undefined} rectangle */
  #resized(rectangle) {
    if (rectangle === undefined) return;
    const index = this.#list.scrollTop / this.#rowHeight;
    const isNarrow = rectangle.width < NARROW;
    const rowHeight = isNarrow ? TWO_LINE_HEIGHT : ROW_HEIGHT;
    this.#height = rectangle.height;
    if (rowHeight !== this.#rowHeight) {
      this.#rowHeight = rowHeight;
      this.draw();
      this.#list.scrollTop = index * rowHeight;
    }
    this.#list.classList.toggle("two-lines", isNarrow);
    this.#onChange();
  }

  /** @param {EventTarget | null} target */
  #rowOf(target) {
    const element = target instanceof Element ? target.closest("[data-seq]") : null;
    if (!(element instanceof HTMLElement)) return undefined;
    return this.#feed.at(this.#feed.indexOf(Number(element.dataset["seq"])));
  }
}

function newRow() {
  const parts = ["time", "src", "session", "type", "summary"].map((name) => el("span", { class: name }));
  return el("div", { class: "row", role: "option" }, ...parts);
}

/**
 * @param {HTMLElement} element
 * @param {Row} row
 */
function fill(element, row) {
  const [time, src, session, type, summary] = element.children;
  element.id = `row-${row.seq}`;
  element.dataset["seq"] = String(row.seq);
  element.dataset["namespace"] = row.namespace;
  element.dataset["tone"] = row.tone;
  if (time) setText(time, clockTime(row.at, true));
  if (src) setText(src, row.src);
  if (session) setText(session, shortId(row.session));
  if (type) setText(type, row.type);
  if (summary) setText(summary, row.summary);
  return element;
}
