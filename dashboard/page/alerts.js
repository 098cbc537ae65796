/** What is wrong now: gathers the facts, and shows them. */
import { Alerts } from "./alerts-state.js";
import { AlertsView } from "./alerts-view.js";
import { fetchJson } from "./session.js";
import { StoredResource } from "./stored-list.js";

/** Deliveries are read with every fifth poll. */
const EVERY = 5;

export class AlertsPane {
  #alerts = new Alerts();
  #view;
  #sessions;
  #hooks;
  #configured;
  /** @type {readonly import("./session.js").SourceStatus[]} */
  #sources = [];
  #hasStored = false;
  #polls = 0;
  /** @type {StoredResource<{ deliveries: import("./stored-list.js").Delivery[] }>} */
  #deliveries = new StoredResource(fetchJson);

  /**
   * @param {{ sessions: import("./sessions-state.js").Sessions, hooks: import("./hooks-state.js").Hooks,
   *   configured: import("./configured-hooks.js").ConfiguredHooks }} models
   * @param {(target: import("./alerts-state.js").Target) => void} onOpen
   */
  constructor({ sessions, hooks, configured }, onOpen) {
    this.#configured = configured;
    this.#sessions = sessions;
    this.#hooks = hooks;
    this.#view = new AlertsView(onOpen);
    this.#deliveries.point("api/deliveries?status=pending&limit=100");
  }

  /** @param {import("./session.js").Status} status */
  setStatus({ sources, stored }) {
    this.#sources = sources;
    this.#hasStored = stored;
  }

  /** Reads again what no event tells. */
  async refresh() {
    if (this.#hasStored && this.#polls++ % EVERY === 0) await this.#deliveries.refresh();
  }

  clear() {
    this.#alerts.clear();
  }

  draw() {
    const facts = {
      sessions: this.#sessions.list(),
      failing: this.#hooks.failing(),
      sources: this.#sources,
      bad: this.#configured.bad(),
      deliveries: this.#deliveries.value?.deliveries ?? [],
      now: Date.now(),
    };
    this.#view.draw(this.#alerts.list(facts));
  }
}
