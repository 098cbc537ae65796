/** The pane of hooks: those that ran, and those that are configured. */
import { byId, setText } from "./dom.js";
import { clockTime } from "./format.js";
import { HooksView } from "./hooks-view.js";
import { fetchJson } from "./session.js";

/** The configuration is read with every fourth poll. */
const EVERY = 4;

export class HooksPane {
  #hooks;
  #configured;
  #view;
  #polls = 0;

  /**
   * @param {{ hooks: import("./hooks-state.js").Hooks, configured: import("./configured-hooks.js").ConfiguredHooks }} models
   * @param {{ onSort: () => void, onOpen: (key: string) => void }} handlers
   */
  constructor({ hooks, configured }, handlers) {
    this.#hooks = hooks;
    this.#configured = configured;
    this.#view = new HooksView(hooks, configured, handlers);
  }

  /** Reads the configuration again now and then. Resolves with whether it was read. */
  async refresh() {
    if (this.#polls++ % EVERY !== 0) return false;
    const answer = await fetchJson("api/hooks");
    if ("value" in answer) this.#configured.set(answer.value);
    return "value" in answer;
  }

  /** Focuses the row of a hook; false when it has none. @param {string} key */
  focus(key) {
    return this.#view.focus(key);
  }

  /**
   * @param {string} selected the key of the open hook, "" for none
   * @param {number} since when the first event was received, 0 before it
   */
  draw(selected, since) {
    this.#hooks.setConfigured(this.#configured.list());
    this.#view.select(selected);
    this.#view.draw();
    setText(byId("hooks-since", HTMLElement), since === 0 || this.#hooks.size === 0 ? "" : `since ${clockTime(since)}`);
  }
}
