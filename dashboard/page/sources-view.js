/** The table of sources: their rates, totals, and dropped events. */
import { byId, el, KeyedList, setAttribute, setText } from "./dom.js";
import { ago, count, rate } from "./format.js";

/** @typedef {import("./session.js").SourceStatus} SourceStatus */

export class SourcesView {
  #rows = new KeyedList(byId("sources-rows", HTMLTableSectionElement), {
    key: (/** @type {SourceStatus} */ { src }) => src,
    version: () => undefined,
    create: newRow,
    update: fill,
  });
  /** @type {readonly SourceStatus[]} */
  #sources = [];

  /** @param {readonly SourceStatus[]} sources */
  set(sources) {
    this.#sources = sources.toSorted((a, b) => (a.src < b.src ? -1 : 1));
  }

  draw() {
    byId("sources-table", HTMLTableElement).hidden = this.#sources.length === 0;
    byId("sources-empty", HTMLElement).hidden = this.#sources.length > 0;
    this.#rows.render(this.#sources);
  }
}

function newRow() {
  const cells = ["rate", "total", "dropped", "last seen"].map((label) => el("td", { "data-label": label }));
  return el("tr", {}, el("th", { scope: "row" }), ...cells);
}

/**
 * @param {HTMLElement} element
 * @param {SourceStatus} source
 */
function fill(element, { src, rate_per_second, events, dropped, last_at }) {
  const [name, speed, total, lost, seen] = element.children;
  if (name) setText(name, src || "(no name)");
  if (speed) setText(speed, `${rate(rate_per_second)}/s`);
  if (total) setText(total, count(events));
  if (lost) setText(lost, dropped > 0 ? count(dropped) : "none");
  if (lost) setAttribute(lost, "data-some", dropped > 0 ? "" : null);
  if (seen) setText(seen, ago(Date.parse(last_at), Date.now()));
}
