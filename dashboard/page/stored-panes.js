/** The panes of tasks, webhooks and daemons. */
import { DAEMONS } from "./daemon-list.js";
import { fetchJson } from "./session.js";
import { DELIVERIES, TASKS } from "./stored-kinds.js";
import { StoredView } from "./stored-view.js";

/** @typedef {"task" | "delivery" | "daemon"} StoredName */

/** Where each kind is shown. */
const VIEW_OF = /** @type {const} */ ({ task: "tasks", delivery: "webhooks", daemon: "daemons" });
const NAMES = /** @type {const} */ (["task", "delivery", "daemon"]);

export class StoredPanes {
  #views;

  /** @param {{ onOpen: (choice: { kind: StoredName, id: string }) => void, onFilter: () => void }} handlers */
  constructor({ onOpen, onFilter }) {
    const handlers = (/** @type {StoredName} */ kind) => ({
      onOpen: (/** @type {string} */ id) => onOpen({ kind, id }),
      onFilter,
    });
    this.#views = {
      task: new StoredView(TASKS, fetchJson, handlers("task")),
      delivery: new StoredView(DELIVERIES, fetchJson, handlers("delivery")),
      daemon: new StoredView(DAEMONS, fetchJson, handlers("daemon")),
    };
  }

  /**
   * Reads the lists again that are visible, and says of each when it has been read.
   *
   * @param {(view: typeof VIEW_OF[StoredName]) => boolean} isVisible
   * @param {(view: typeof VIEW_OF[StoredName]) => void} onRead
   */
  async refresh(isVisible, onRead) {
    const visible = NAMES.filter((name) => isVisible(VIEW_OF[name]));
    await Promise.all(
      visible.map(async (name) => {
        await this.#views[name].refresh();
        onRead(VIEW_OF[name]);
      }),
    );
  }

  /**
   * @param {StoredName} name
   * @param {string} selected the id of the open entry, "" for none
   */
  draw(name, selected) {
    this.#views[name].select(selected);
    this.#views[name].draw();
  }

  /**
   * Focuses the list of a kind of details. False if they have none, or it is not visible.
   *
   * @param {string} kind
   * @param {(view: typeof VIEW_OF[StoredName]) => boolean} isVisible
   */
  focus(kind, isVisible) {
    const name = NAMES.find((one) => one === kind);
    if (name === undefined || !isVisible(VIEW_OF[name])) return false;
    this.#views[name].focus();
    return true;
  }
}
