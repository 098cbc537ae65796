/** The panes of tasks and of webhooks. */
import { fetchJson } from "./session.js";
import { DELIVERIES, StoredView, TASKS } from "./stored-view.js";

/** @typedef {"task" | "delivery"} StoredName */

export class StoredPanes {
  #views;

  /** @param {{ onOpen: (choice: { kind: StoredName, id: string }) => void, onFilter: () => void }} handlers */
  constructor({ onOpen, onFilter }) {
    this.#views = {
      task: new StoredView(TASKS, fetchJson, { onOpen: (id) => onOpen({ kind: "task", id }), onFilter }),
      delivery: new StoredView(DELIVERIES, fetchJson, { onOpen: (id) => onOpen({ kind: "delivery", id }), onFilter }),
    };
  }

  /** Reads a list again. @param {StoredName} name */
  refresh(name) {
    return this.#views[name].refresh();
  }

  /**
   * @param {StoredName} name
   * @param {string} selected the id of the open entry, "" for none
   */
  draw(name, selected) {
    this.#views[name].select(selected);
    this.#views[name].draw();
  }

  /** @param {StoredName} name */
  focus(name) {
    this.#views[name].focus();
  }
}
