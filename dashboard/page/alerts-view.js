/** The strip of what is wrong now; each entry leads to what it is about. */
import { byId, el, KeyedList, setAttribute, setText } from "./dom.js";
import { counted } from "./format.js";

/** @typedef {import("./alerts-state.js").Alert} Alert */

/** How many are shown before the user asks for all. */
const FEW = 3;

export class AlertsView {
  #strip = byId("alerts", HTMLElement);
  #more = byId("alerts-more", HTMLButtonElement);
  /** @type {readonly Alert[]} */
  #alerts = [];
  #isOpen = false;
  #entries;

  /** @param {(target: import("./alerts-state.js").Target) => void} onOpen */
  constructor(onOpen) {
    this.#entries = new KeyedList(byId("alerts-list", HTMLElement), {
      key: (/** @type {Alert} */ { key }) => key,
      version: ({ text, detail }) => `${text}\n${detail}`,
      create: ({ key }) => newEntry(() => this.#open(key, onOpen)),
      update: fill,
    });
    this.#more.addEventListener("click", () => {
      this.#isOpen = !this.#isOpen;
      this.draw(this.#alerts);
    });
  }

  /** @param {readonly Alert[]} alerts the most urgent first */
  draw(alerts) {
    this.#alerts = alerts;
    this.#strip.hidden = alerts.length === 0;
    const hidden = Math.max(0, alerts.length - FEW);
    this.#entries.render(this.#isOpen ? alerts : alerts.slice(0, FEW));
    this.#more.hidden = hidden === 0;
    setText(this.#more, this.#isOpen ? "Show fewer" : counted(hidden, "more problem"));
    setAttribute(this.#more, "aria-expanded", String(this.#isOpen));
  }

  /**
   * @param {string} key
   * @param {(target: import("./alerts-state.js").Target) => void} onOpen
   */
  #open(key, onOpen) {
    const alert = this.#alerts.find((one) => one.key === key);
    if (alert !== undefined) onOpen(alert.target);
  }
}

/** @param {() => void} onClick */
function newEntry(onClick) {
  const button = el(
    "button",
    { type: "button", class: "alert" },
    el("span", { class: "what" }),
    el("span", { class: "why" }),
  );
  button.addEventListener("click", onClick);
  return el("li", {}, button);
}

/**
 * @param {HTMLElement} element
 * @param {Alert} alert
 */
function fill(element, { text, detail, tone }) {
  const button = element.firstElementChild;
  if (button === null) return;
  setAttribute(button, "data-tone", tone);
  const [what, why] = button.children;
  if (what) setText(what, text);
  if (why) setText(why, detail);
}
