/** The controls of the feed's filter. */
import { byId, el, setAttribute, setText } from "./dom.js";
import { NAMESPACES } from "./events.js";
import { countActive, EVERYTHING } from "./filter.js";
import { oneLine, shortId } from "./format.js";
import { nameOfHook } from "./hooks-state.js";

/** @typedef {import("./filter.js").Filter} Filter */

/** The search starts when typing pauses, so that typing stays smooth with a big list. */
const REST_MS = 80;
const LONGEST_NAME = 40;

export class FilterView {
  #text = byId("filter-text", HTMLInputElement);
  #source = byId("filter-source", HTMLSelectElement);
  #session = byId("filter-session", HTMLSelectElement);
  #pieces = byId("filter-pieces", HTMLInputElement);
  #hook = byId("filter-hook", HTMLButtonElement);
  #more = byId("filter-more", HTMLButtonElement);
  #clear = byId("filter-clear", HTMLButtonElement);
  #rest = byId("filter-rest", HTMLElement);
  /** @type {readonly HTMLButtonElement[]} */
  #chips;
  /** @type {Filter} */
  #filter = EVERYTHING;
  #timer = 0;
  #onFilter;

  /** @param {(filter: Filter) => void} onFilter */
  constructor(onFilter) {
    this.#onFilter = onFilter;
    this.#chips = [...NAMESPACES, "other"].map((name) => this.#chip(name));
    byId("filter-namespaces", HTMLElement).append(...this.#chips);
    this.#text.addEventListener("input", () => {
      window.clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#read(), REST_MS);
    });
    for (const control of [this.#source, this.#session, this.#pieces]) {
      control.addEventListener("change", () => this.#read());
    }
    this.#clear.addEventListener("click", () => this.set({ ...EVERYTHING, pieces: this.#filter.pieces }));
    this.#hook.addEventListener("click", () => this.set({ ...this.#filter, hook: "" }));
    this.#more.addEventListener("click", () => {
      const isOpen = this.#rest.classList.toggle("open");
      setAttribute(this.#more, "aria-expanded", String(isOpen));
    });
    byId("filter", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
    this.#show();
  }

  focus() {
    this.#text.focus();
    this.#text.select();
  }

  /** @param {Filter} filter */
  set(filter) {
    window.clearTimeout(this.#timer);
    this.#filter = filter;
    this.#text.value = filter.text;
    this.#pieces.checked = filter.pieces;
    select(this.#source, filter.source, oneLine(filter.source, LONGEST_NAME));
    select(this.#session, filter.session, shortId(filter.session));
    for (const chip of this.#chips) {
      setAttribute(chip, "aria-pressed", String(filter.namespaces.includes(chip.dataset["namespace"] ?? "")));
    }
    this.#show();
    this.#onFilter(filter);
  }

  /**
   * Offers the known sources and sessions.
   *
   * @param {readonly string[]} sources
   * @param {readonly { id: string, name: string }[]} sessions
   */
  offer(sources, sessions) {
    offerIn(
      this.#source,
      "All sources",
      sources.map((src) => ({ id: src, name: oneLine(src, LONGEST_NAME) })),
    );
    offerIn(this.#session, "All sessions", sessions);
  }

  /** @param {string} name */
  #chip(name) {
    const attributes = { type: "button", class: "chip", "data-namespace": name, "aria-pressed": "false" };
    const chip = el("button", attributes, name);
    chip.addEventListener("click", () => {
      setAttribute(chip, "aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      this.#read();
    });
    return chip;
  }

  #read() {
    const pressed = this.#chips.filter((chip) => chip.getAttribute("aria-pressed") === "true");
    this.#filter = {
      namespaces: pressed.map((chip) => chip.dataset["namespace"] ?? ""),
      source: this.#source.value,
      session: this.#session.value,
      text: this.#text.value,
      hook: this.#filter.hook,
      pieces: this.#pieces.checked,
    };
    this.#show();
    this.#onFilter(this.#filter);
  }

  #show() {
    const active = countActive(this.#filter);
    // The text is always visible.
    const hidden = active - (this.#filter.text.trim() === "" ? 0 : 1);
    setText(this.#more, hidden === 0 ? "Filters" : `Filters (${hidden})`);
    this.#clear.hidden = active === 0;
    const name = nameOfHook(this.#filter.hook);
    this.#hook.hidden = name === "";
    setText(this.#hook, `Hook ${oneLine(name, LONGEST_NAME)} ✕`);
    setAttribute(this.#hook, "aria-label", `No longer only the hook ${name}`);
  }
}

/**
 * Sets the options. The list does not change while it is open.
 *
 * @param {HTMLSelectElement} control
 * @param {string} all
 * @param {readonly { id: string, name: string }[]} choices
 */
function offerIn(control, all, choices) {
  if (document.activeElement === control) return;
  const { value } = control;
  const wanted = [{ id: "", name: all }, ...choices];
  // The selected option stays, even if it is no longer known.
  if (!wanted.some(({ id }) => id === value)) wanted.push({ id: value, name: shortId(value) });
  const text = JSON.stringify(wanted);
  if (control.dataset["offered"] === text) return;
  control.dataset["offered"] = text;
  control.replaceChildren(...wanted.map(({ id, name }) => el("option", { value: id }, name)));
  control.value = value;
}

/**
 * @param {HTMLSelectElement} control
 * @param {string} value
 * @param {string} name
 */
function select(control, value, name) {
  if (value !== "" && ![...control.options].some((option) => option.value === value)) {
    control.append(el("option", { value }, name));
  }
  control.value = value;
}
