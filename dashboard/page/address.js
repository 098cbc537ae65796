/** Keeps the address of the page a link to what is open, and opens what it leads to. */
import { fragmentOf, linkIn } from "./links.js";

/** @typedef {import("./events.js").Row} Row */
/** @typedef {import("./inspector.js").Choice} Choice */

export class Address {
  #onOpen;
  #find;
  /** The event that the address leads to, until it arrives. */
  #wanted = 0;

  /**
   * @param {(choice: Choice) => void} onOpen
   * @param {(seq: number) => Row | undefined} find an event that has arrived
   */
  constructor(onOpen, find) {
    this.#onOpen = onOpen;
    this.#find = find;
  }

  /** Opens what the address leads to. An event may have to arrive first. */
  follow() {
    const link = linkIn(location.hash);
    this.forget();
    if (link === undefined) return;
    if (link.kind !== "event") return this.#onOpen(link);
    const row = this.#find(link.seq);
    if (row === undefined) this.#wanted = link.seq;
    else this.#onOpen({ kind: "event", row });
  }

  /** @param {Row} row */
  arrived(row) {
    if (row.seq === this.#wanted) this.#onOpen({ kind: "event", row });
  }

  /** Something else was opened. */
  forget() {
    this.#wanted = 0;
  }

  /** @param {Choice} choice */
  show(choice) {
    const fragment = fragmentOf(choice);
    // The address stays as it is while the event that it names is on its way.
    if (fragment === location.hash || this.#wanted !== 0) return;
    history.replaceState(null, "", `${location.pathname}${location.search}${fragment}`);
  }
}
