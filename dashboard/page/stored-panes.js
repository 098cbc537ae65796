/** The panes of tasks, webhooks, daemons and the last replay. */
import { DAEMONS } from "./daemon-list.js";
import { ReplayView } from "./replay-view.js";
import { fetchJson } from "./session.js";
import { DELIVERIES, TASKS } from "./stored-kinds.js";
import { StoredView } from "./stored-view.js";

/** @typedef {"task" | "delivery" | "daemon"} StoredName */

/** Where each kind is shown. */
const VIEW_OF = /** @type {const} */ ({ task: "tasks", delivery: "webhooks", daemon: "daemons" });
const NAMES = /** @type {const} */ (["task", "delivery", "daemon"]);

/** @typedef {typeof VIEW_OF[StoredName] | "replay"} StoredPane */

export class StoredPanes {
  #views;
  #replay;

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
    this.#replay = new ReplayView(fetchJson, onFilter);
  }

  /**
   * Reads the panes again that are visible, and says of each when it has been read.
   *
   * @param {(pane: StoredPane) => boolean} isVisible
   * @param {(pane: StoredPane) => void} onRead
   */
  async refresh(isVisible, onRead) {
    /** @type {readonly (readonly [StoredPane, { refresh: () => Promise<boolean> }])[]} */
    const panes = [
      ...NAMES.map((name) => /** @type {const} */ ([VIEW_OF[name], this.#views[name]])),
      ["replay", this.#replay],
    ];
    await Promise.all(
      panes
        .filter(([pane]) => isVisible(pane))
        .map(async ([pane, view]) => {
          await view.refresh();
          onRead(pane);
        }),
    );
  }

  drawReplay() {
    this.#replay.draw();
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
   * Focuses where details of a kind were opened. False if they have no such pane, or it is not visible.
   *
   * @param {string} kind
   * @param {(pane: StoredPane) => boolean} isVisible
   */
  focus(kind, isVisible) {
    if (kind === "session") return isVisible("replay") && this.#replay.focus();
    const name = NAMES.find((one) => one === kind);
    if (name === undefined || !isVisible(VIEW_OF[name])) return false;
    this.#views[name].focus();
    return true;
  }
}
