/** The turns of one session, oldest first: messages, tool calls and hooks in order. */
import { el, KeyedList, setAttribute, setText } from "./dom.js";
import { clockTime, counted, duration, oneLine } from "./format.js";
import { itemElement, updateItem } from "./timeline-items.js";
import { tokenWords } from "./summary.js";

/** @typedef {import("./session-events.js").Session} Session */
/** @typedef {import("./turns.js").Turn} Turn */
/** @typedef {import("./turns.js").Item} Item */

/** How many turns are shown before the user asks for earlier ones. */
const TURNS_SHOWN = 10;
/** A list closer to its end than this stays at the end. */
const NEAR_END = 80;

export class TimelineView {
  #scroller;
  #list = el("ol", { class: "turns" });
  #earlier = el("button", { type: "button", class: "earlier" });
  #turns;
  /** @type {Map<number, KeyedList<Item>>} */
  #items = new Map();
  #shown = TURNS_SHOWN;
  #session = "";

  /**
   * @param {HTMLElement} scroller
   * @param {() => void} onEarlier requests a redraw
   */
  constructor(scroller, onEarlier) {
    this.#scroller = scroller;
    this.#turns = new KeyedList(this.#list, {
      key: (/** @type {Turn} */ { number }) => number,
      version: ({ version }) => version,
      create: (turn) => this.#newTurn(turn),
      update: (element, turn) => this.#update(element, turn),
    });
    this.#earlier.addEventListener("click", () => {
      this.#shown += TURNS_SHOWN;
      onEarlier();
    });
  }

  /** The elements of the timeline. */
  get elements() {
    return [this.#earlier, this.#list];
  }

  /**
   * @param {Session} session
   * @param {boolean} isNew true when the elements were just added to the page; then the last turn is shown
   */
  draw(session, isNew) {
    if (session.id !== this.#session) {
      this.#session = session.id;
      this.#shown = TURNS_SHOWN;
      this.#turns.render([]);
      this.#items.clear();
    }
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const isAtEnd = isNew || scrollHeight - scrollTop - clientHeight < NEAR_END;
    const turns = session.turns.slice(-this.#shown);
    this.#turns.render(turns);
    for (const number of this.#items.keys())
      if (!turns.some((turn) => turn.number === number)) this.#items.delete(number);
    const hidden = session.turns.length - turns.length;
    this.#earlier.hidden = hidden === 0;
    setText(this.#earlier, `Show ${counted(Math.min(hidden, TURNS_SHOWN), "earlier turn")} of ${hidden}`);
    if (isAtEnd) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** @param {Turn} turn */
  #newTurn(turn) {
    const items = el("ol", { class: "items" });
    this.#items.set(
      turn.number,
      new KeyedList(items, {
        key: ({ id }) => id,
        version: ({ version }) => version,
        create: itemElement,
        update: updateItem,
      }),
    );
    const heading = el("h3", {}, el("span", { class: "number" }), el("span", { class: "about" }));
    return el("li", { class: "turn" }, heading, el("p", { class: "skipped note" }), items);
  }

  /**
   * @param {HTMLElement} element
   * @param {Turn} turn
   */
  #update(element, turn) {
    const [heading, skipped] = element.children;
    setAttribute(element, "data-open", String(turn.isOpen));
    const [number, about] = heading?.children ?? [];
    if (number) setText(number, `Turn ${turn.number}`);
    if (about) setText(about, aboutTurn(turn));
    if (skipped instanceof HTMLElement) {
      skipped.hidden = turn.skipped === 0;
      setText(skipped, `${counted(turn.skipped, "step")} of this turn are no longer kept.`);
    }
    this.#items.get(turn.number)?.render(turn.items);
  }
}

/** @param {Turn} turn */
function aboutTurn({ startedAt, isOpen, ending, durationMs, tokens }) {
  const parts = [clockTime(startedAt), isOpen ? "running" : oneLine(ending), isOpen ? "" : duration(durationMs)];
  if (tokens !== null) parts.push(tokenWords(tokens));
  return parts.filter((part) => part !== "").join(" · ");
}
