/** Which pane is visible on a narrow screen. */
import { byId, setAttribute } from "./dom.js";

/** @typedef {typeof VIEWS[number]} View */

const VIEWS = /** @type {const} */ (["feed", "sessions", "hooks", "sources"]);
/** From this width on all panes are visible; panes.css has the same number. */
const WIDE = "(min-width: 1000px)";

export class Views {
  #wide = window.matchMedia(WIDE);
  /** @type {View} */
  #current = "feed";
  #buttons = [...byId("views", HTMLElement).querySelectorAll("button")];
  #onChange;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    this.#wide.addEventListener("change", onChange);
    for (const button of this.#buttons) {
      button.addEventListener("click", () =>
        this.show(VIEWS.find((view) => view === button.dataset["view"]) ?? "feed"),
      );
    }
  }

  /** Whether all panes are visible. */
  get isWide() {
    return this.#wide.matches;
  }

  get current() {
    return this.#current;
  }

  /** @param {View} view */
  isVisible(view) {
    return this.#wide.matches || this.#current === view;
  }

  /** @param {View} view */
  show(view) {
    this.#current = view;
    document.body.dataset["view"] = view;
    for (const button of this.#buttons) {
      setAttribute(button, "aria-current", button.dataset["view"] === view ? "true" : null);
    }
    this.#onChange();
  }

  /**
   * Shows a pane and focuses it.
   *
   * @param {number} index in the order of the keys, counted from 0
   */
  focus(index) {
    const view = VIEWS[index] ?? "feed";
    this.show(view);
    const pane = byId(view, HTMLElement);
    const target = pane.querySelector("[role='listbox'], .sessions button[tabindex='0'], .scroll[tabindex]");
    if (target instanceof HTMLElement) target.focus({ preventScroll: true });
  }
}
