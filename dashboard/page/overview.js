/** The figures in the bar and above the panes, and what the filter offers. */
import { byId, setText } from "./dom.js";
import { count, counted, oneLine, rate } from "./format.js";
import { nameOf } from "./sessions-state.js";

/** What the filter offers. */
const MOST_OFFERED = 100;
const LONGEST_OFFERED = 40;

export class Overview {
  /** Known sources, for the filter. @type {Set<string>} */
  #sources = new Set();
  #missed = 0;
  #status = { rate: 0, version: "" };

  /** @param {string} src */
  noteSource(src) {
    if (this.#sources.size < MOST_OFFERED) this.#sources.add(src);
  }

  /** @param {number} missed */
  noteMissed(missed) {
    this.#missed += missed;
  }

  /** @param {import("./session.js").Status} status */
  setStatus({ version, sources }) {
    this.#status = { version, rate: sources.reduce((sum, { rate_per_second }) => sum + rate_per_second, 0) };
  }

  clear() {
    this.#sources.clear();
    this.#missed = 0;
  }

  /**
   * @param {readonly import("./session-events.js").Session[]} sessions
   * @param {import("./filter-view.js").FilterView} filter
   */
  draw(sessions, filter) {
    const running = sessions.filter(({ state }) => state === "running").length;
    setText(byId("sessions-count", HTMLElement), `${running} running of ${count(sessions.length)}`);
    setText(byId("pace", HTMLElement), `${rate(this.#status.rate)} events/s`);
    setText(byId("sources-note", HTMLElement), this.#status.version === "" ? "" : `hermes ${this.#status.version}`);
    document.title = running > 0 ? `(${running}) Hermes dashboard` : "Hermes dashboard";
    const missed = byId("feed-missed", HTMLElement);
    missed.hidden = this.#missed === 0;
    const lost = counted(this.#missed, "event");
    setText(missed, `${lost} arrived while this page was disconnected and are no longer available.`);
    const offered = sessions
      .slice(0, MOST_OFFERED)
      .map((session) => ({ id: session.id, name: oneLine(nameOf(session), LONGEST_OFFERED) }));
    filter.offer([...this.#sources].filter(Boolean).toSorted(), offered);
  }
}
