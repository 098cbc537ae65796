/** A list of buttons that is a single tab stop; the arrow keys, j and k move inside it. */
import { setAttribute } from "./dom.js";

export class RovingButtons {
  #list;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
    list.addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
      if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.#move(by);
    });
  }

  focus() {
    this.#buttons()
      .find(({ tabIndex }) => tabIndex === 0)
      ?.focus();
  }

  /** To be called after the buttons changed. */
  update() {
    const buttons = this.#buttons();
    const stop =
      buttons.find((button) => button === document.activeElement) ??
      buttons.find((button) => button.hasAttribute("aria-current")) ??
      buttons[0];
    for (const button of buttons) setAttribute(button, "tabindex", button === stop ? "0" : "-1");
  }

  #buttons() {
    return [...this.#list.querySelectorAll("button")];
  }

  /** @param {number} by */
  #move(by) {
    const buttons = this.#buttons();
    const at = buttons.findIndex((button) => button === document.activeElement);
    buttons[Math.max(0, Math.min(at + by, buttons.length - 1))]?.focus();
  }
}
