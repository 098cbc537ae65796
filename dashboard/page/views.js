/** Which panes are visible: one on a narrow screen; on a wide one all, but only one of the lower ones. */
import { byId, el, setAttribute } from "./dom.js";

/** @typedef {typeof VIEWS[number]} View */

const VIEWS = /** @type {const} */ (["feed", "sessions", "hooks", "sources", "tasks", "webhooks", "daemons", "replay"]);
/** The panes that share a place on a wide screen, and their tabs. */
const LOWER = /** @type {const} */ ({
  hooks: "Hooks",
  tasks: "Tasks",
  webhooks: "Webhooks",
  daemons: "Daemons",
  replay: "Replay",
});
/** From this width on the screen is wide; the style sheets have the same number. */
const WIDE = "(min-width: 1000px)";

export class Views {
  #wide = window.matchMedia(WIDE);
  /** @type {View} */
  #current = "sessions";
  /** @type {View} */
  #lower = "hooks";
  #buttons = [...byId("views", HTMLElement).querySelectorAll("button")];
  #onChange;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    this.#wide.addEventListener("change", onChange);
    for (const view of Object.keys(LOWER)) this.#addTabs(view);
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
    if (!this.#wide.matches) return this.#current === view;
    return !Object.hasOwn(LOWER, view) || this.#lower === view;
  }

  /** @param {View} view */
  show(view) {
    this.#current = view;
    document.body.dataset["view"] = view;
    if (Object.hasOwn(LOWER, view)) document.body.dataset["lower"] = this.#lower = view;
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

  /**
   * Adds the tabs of the lower panes to the head of one of them.
   *
   * @param {string} pane
   */
  #addTabs(pane) {
    const tabs = el("div", { class: "tabs", role: "group", "aria-label": "Lower pane" });
    for (const [view, title] of Object.entries(LOWER)) {
      const tab = el("button", { type: "button", "data-tab": view }, title);
      setAttribute(tab, "aria-current", view === pane ? "true" : null);
      tab.addEventListener("click", () => {
        this.show(/** @type {View} */ (view));
        // The pressed button disappears with its pane.
        const same = byId(view, HTMLElement).querySelector(`[data-tab="${view}"]`);
        if (same instanceof HTMLElement) same.focus();
      });
      tabs.append(tab);
    }
    byId(pane, HTMLElement).querySelector(".pane-head")?.append(tabs);
  }
}
