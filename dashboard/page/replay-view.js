/** The pane of the last replay: how many firings would end differently now, and which. */
import { byId, el, KeyedList, setAttribute, setText } from "./dom.js";
import { count, shortId, shortName } from "./format.js";
import { messageOf, momentOf, replayFacts, replayResult } from "./replay-state.js";
import { StoredResource } from "./stored-list.js";

/** @typedef {import("./replay-state.js").Change} Change */
/** @typedef {import("./replay-state.js").LastReplay} LastReplay */

const MOST = 200;
/** The length of a year in a moment: recordings are rarely that old, and the whole time is the cell's title. */
const YEAR = "2026-".length;
/** The columns after the time, and how a narrow screen without headings names them. */
const COLUMNS = { event: "", tool: "tool", session: "session", outcomes: "", hook: "hook", message: "" };

export class ReplayView {
  /** @type {StoredResource<LastReplay>} */
  #resource;
  #event = byId("replay-event", HTMLSelectElement);
  #onFilter;
  /** The link that opened a session. @type {HTMLElement | undefined} */
  #opened;
  #rows = new KeyedList(byId("replay-rows", HTMLTableSectionElement), {
    key: (/** @type {{ place: number, change: Change }} */ { place }) => place,
    version: () => undefined,
    create: () => this.#newRow(),
    update: (element, { change }) => fill(element, change),
  });

  /**
   * @param {ConstructorParameters<typeof StoredResource>[0]} fetchJson
   * @param {() => void} onFilter
   */
  constructor(fetchJson, onFilter) {
    this.#resource = new StoredResource(fetchJson);
    this.#onFilter = onFilter;
    this.#event.addEventListener("change", () => this.#filter());
    this.#point();
  }

  refresh() {
    return this.#resource.refresh();
  }

  /** Focuses the link that opened a session; false when none did. */
  focus() {
    const link = this.#opened;
    this.#opened = undefined;
    if (link === undefined || !link.isConnected) return false;
    link.focus();
    return true;
  }

  draw() {
    const { value, problem } = this.#resource;
    const note = byId("replay-problem", HTMLElement);
    note.hidden = problem === "";
    setText(note, problem);
    byId("replay-empty", HTMLElement).hidden = value === undefined || value.replay !== null;
    const replay = value?.replay ?? undefined;
    byId("replay-head", HTMLElement).hidden = replay === undefined;
    byId("replay-table", HTMLTableElement).hidden = replay === undefined || replay.changed === 0;
    if (value !== undefined && replay !== undefined) {
      setText(byId("replay-result", HTMLElement), replayResult(replay));
      setText(byId("replay-facts", HTMLElement), replayFacts(replay, Date.now()));
      this.#drawEvents(value);
    }
    const changed = value?.changed ?? [];
    byId("replay-more", HTMLElement).hidden = replay === undefined || changed.length < MOST;
    this.#rows.render(changed.map((change, place) => ({ place, change })));
  }

  /** @param {LastReplay} last */
  #drawEvents({ events }) {
    const select = this.#event;
    select.hidden = events.length < 2 && select.value === "";
    const words = ["All events", ...events.map(({ event, changed }) => `${event} (${count(changed)})`)];
    // An open list must not change while somebody chooses from it.
    if (words.join("\n") === [...select.options].map(({ text }) => text).join("\n")) return;
    const chosen = select.value;
    const values = ["", ...events.map(({ event }) => event)];
    select.replaceChildren(...values.map((value, place) => el("option", { value }, words[place] ?? value)));
    select.value = values.includes(chosen) ? chosen : "";
    // A newer replay may have no change of this event.
    if (select.value !== chosen) this.#filter();
  }

  #filter() {
    this.#point();
    this.#onFilter();
  }

  #point() {
    const { value } = this.#event;
    this.#resource.point(`api/replay?limit=${MOST}${value === "" ? "" : `&event=${encodeURIComponent(value)}`}`);
  }

  #newRow() {
    const row = el(
      "tr",
      {},
      el("th", { scope: "row" }),
      ...Object.entries(COLUMNS).map(([column, label]) =>
        el("td", { "data-column": column, ...(label === "" ? {} : { "data-label": label }) }),
      ),
    );
    const link = el("a", {});
    link.addEventListener("click", () => {
      this.#opened = link;
    });
    row.querySelector('[data-column="session"]')?.append(link);
    const outcomes = row.querySelector('[data-column="outcomes"]');
    outcomes?.append(el("span", { class: "outcome" }), " → ", el("span", { class: "outcome" }));
    return row;
  }
}

/**
 * @param {HTMLElement} element
 * @param {Change} change
 */
function fill(element, change) {
  const [time, event, tool, session, outcomes, hook, message] = element.children;
  if (time) setCell(time, momentOf(change.time).slice(YEAR), momentOf(change.time));
  if (event) setText(event, change.event);
  if (tool) setCell(tool, change.tool_name ?? "");
  if (session) fillSession(session, change.session_id);
  const [then, now] = outcomes?.children ?? [];
  if (then) fillOutcome(then, change.recorded);
  if (now) fillOutcome(now, change.now);
  if (hook) setCell(hook, shortName(change.hook ?? ""), change.hook);
  if (message) setCell(message, messageOf(change));
}

/**
 * @param {Element} cell
 * @param {string} id
 */
function fillSession(cell, id) {
  const [link] = cell.children;
  setAttribute(cell, "data-none", id === "" ? "" : null);
  if (!link) return;
  setText(link, shortId(id));
  setAttribute(link, "title", id);
  setAttribute(link, "aria-label", id === "" ? null : `Session ${id}`);
  setAttribute(link, "href", id === "" ? null : `#${new URLSearchParams({ session: id })}`);
}

/**
 * @param {Element} element
 * @param {string} outcome
 */
function fillOutcome(element, outcome) {
  setText(element, outcome);
  setAttribute(element, "data-outcome", outcome);
}

/**
 * @param {Element} cell
 * @param {string} text
 * @param {string | null} [whole]
 */
function setCell(cell, text, whole = text) {
  setText(cell, text);
  setAttribute(cell, "title", whole === "" ? null : whole);
  setAttribute(cell, "data-none", text === "" ? "" : null);
}
