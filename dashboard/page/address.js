/** Keeps the address of the page a link to what is open, and opens what it leads to. */
import { fragmentOf, linkIn } from "./links.js";
import { isRecord } from "./values.js";

/** @typedef {import("./events.js").Row} Row */
/** @typedef {import("./inspector.js").Choice} Choice */
/** @typedef {import("./links.js").EventLink} EventLink */

const GONE = "The event of this link is no longer kept. This is its session.";

export class Address {
  #onOpen;
  #find;
  #fetch;
  /** The event that the address leads to, until it arrives. */
  #wanted = 0;

  /**
   * @param {(choice: Choice) => void} onOpen
   * @param {(seq: number) => Row | undefined} find an event that has arrived
   * @param {(path: string) => Promise<{ value: unknown } | { problem: string }>} fetchJson
   */
  constructor(onOpen, find, fetchJson) {
    this.#onOpen = onOpen;
    this.#find = find;
    this.#fetch = fetchJson;
  }

  /** Opens what the address leads to. An event may have to arrive first, or is no longer kept. */
  follow() {
    const link = linkIn(location.hash);
    this.forget();
    if (link === undefined) return;
    if (link.kind !== "event") return this.#onOpen(link);
    const row = this.#find(link.seq);
    if (row !== undefined) return this.#onOpen({ kind: "event", row });
    this.#wanted = link.seq;
    void this.#check(link);
  }

  /** Opens the session instead of an event that the dashboard no longer has. @param {EventLink} link */
  async #check({ seq, session }) {
    const answer = await this.#fetch(`api/history?before=${seq + 1}&limit=1`);
    // Without an answer, the event may still come. Meanwhile it may have arrived, or something else was opened.
    if (!("value" in answer) || !isRecord(answer.value) || this.#wanted !== seq) return;
    const { events } = answer.value;
    const [last] = Array.isArray(events) ? events : [];
    if (isRecord(last) && last["seq"] === seq) return;
    this.#onOpen(session === "" ? { kind: "gone", seq } : { kind: "session", id: session, note: GONE });
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
