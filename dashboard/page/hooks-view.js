/** The table of hooks; clicking a heading sorts it. */
import { byId, el, KeyedList, setAttribute, setText } from "./dom.js";
import { ago, count, duration, fullTime, shortName } from "./format.js";
import { percentile } from "./hooks-state.js";

/** @typedef {import("./hooks-state.js").HookStats} HookStats */
/** @typedef {import("./hooks-state.js").HookColumn} HookColumn */

/** Columns that are sorted in descending order first. @type {ReadonlySet<HookColumn>} */
const NUMBERS = new Set(["calls", "blocks", "errors", "p50", "p95", "failed"]);
const COLUMNS = ["name", "event", "source", "calls", "blocks", "errors", "p50", "p95", "failed"];

export class HooksView {
  #hooks;
  #configured;
  #selected = "";
  #rows;
  /** @type {HookColumn} */
  #column = "calls";
  #descending = true;
  #onSort;
  /** @type {readonly HTMLButtonElement[]} */
  #headings;

  /**
   * @param {import("./hooks-state.js").Hooks} hooks
   * @param {import("./configured-hooks.js").ConfiguredHooks} configured
   * @param {{ onSort: () => void, onOpen: (key: string) => void }} handlers
   */
  constructor(hooks, configured, { onSort, onOpen }) {
    this.#hooks = hooks;
    this.#configured = configured;
    this.#onSort = onSort;
    this.#rows = new KeyedList(byId("hooks-rows", HTMLTableSectionElement), {
      key: (/** @type {HookStats} */ { key }) => key,
      // Relative times change every second.
      version: () => undefined,
      create: ({ key }) => newRow(() => onOpen(key)),
      update: (element, hook) => fill(element, hook, this.#configured.of(hook), hook.key === this.#selected),
    });
    this.#headings = [...byId("hooks-table", HTMLTableElement).querySelectorAll("button")];
    for (const heading of this.#headings) {
      heading.addEventListener("click", () => this.#sort(/** @type {HookColumn} */ (heading.dataset["column"])));
    }
    this.#mark();
  }

  /** @param {string} key "" for none */
  select(key) {
    this.#selected = key;
  }

  /** Focuses the row of a hook; false when it has none. @param {string} key */
  focus(key) {
    const opener = this.#rows.element(key)?.querySelector("button");
    opener?.focus();
    return opener !== undefined && opener !== null;
  }

  draw() {
    const rows = this.#hooks.sorted(this.#column, this.#descending);
    byId("hooks-table", HTMLTableElement).hidden = rows.length === 0;
    byId("hooks-empty", HTMLElement).hidden = rows.length > 0;
    this.#rows.render(rows);
  }

  /** @param {HookColumn} column */
  #sort(column) {
    this.#descending = column === this.#column ? !this.#descending : NUMBERS.has(column);
    this.#column = column;
    this.#mark();
    this.#onSort();
  }

  #mark() {
    const order = this.#descending ? "descending" : "ascending";
    for (const heading of this.#headings) {
      const cell = heading.closest("th");
      if (cell) setAttribute(cell, "aria-sort", heading.dataset["column"] === this.#column ? order : null);
    }
  }
}

/** @param {() => void} onOpen */
function newRow(onOpen) {
  const opener = el("button", { type: "button", class: "opener" });
  const row = el(
    "tr",
    {},
    ...COLUMNS.map((column) =>
      column === "name"
        ? el("th", { scope: "row", "data-column": column }, opener, el("span", { class: "state" }))
        : el("td", { "data-column": column, "data-label": LABELS[column] ?? column }),
    ),
  );
  // The whole row opens it, for the pointer.
  row.addEventListener("click", onOpen);
  return row;
}

/** @type {Record<string, string>} */
const LABELS = { failed: "last failure" };

/**
 * @param {HTMLElement} element
 * @param {HookStats} hook
 * @param {import("./configured-hooks.js").ConfiguredHook | undefined} configured
 * @param {boolean} isSelected
 */
function fill(element, hook, configured, isSelected) {
  setAttribute(element, "aria-current", isSelected ? "true" : null);
  const [name, event, source, calls, blocks, errors, p50, p95, failed] = element.children;
  const [opener, state] = name?.children ?? [];
  if (opener) setText(opener, shortName(hook.name) || "(no name)");
  if (state) setText(state, stateWords(hook, configured));
  if (state) setAttribute(state, "data-bad", configured?.isBad === true ? "" : null);
  if (event) setText(event, hook.event);
  if (source) setText(source, hook.source);
  if (calls) setText(calls, count(hook.calls));
  if (blocks) number(blocks, hook.blocks);
  if (errors) number(errors, hook.errors);
  if (p50) setText(p50, duration(percentile(hook, 0.5)));
  if (p95) setText(p95, duration(percentile(hook, 0.95)));
  if (failed) setText(failed, failureWords(hook));
  if (name) setAttribute(name, "title", hook.name);
  if (failed) setAttribute(failed, "title", hook.lastFailure === null ? null : failureTitle(hook.lastFailure));
}

/**
 * @param {Element} cell
 * @param {number} value
 */
function number(cell, value) {
  setText(cell, count(value));
  setAttribute(cell, "data-some", value > 0 ? "" : null);
}

/**
 * @param {HookStats} hook
 * @param {import("./configured-hooks.js").ConfiguredHook | undefined} configured
 */
function stateWords({ calls }, configured) {
  if (configured === undefined) return "";
  return configured.state || (calls === 0 && !configured.hasRun ? "never ran" : "");
}

/** @param {HookStats} hook */
function failureWords({ lastFailure }) {
  if (lastFailure === null) return "none";
  const { at, failure } = lastFailure;
  return `${failure} ${ago(at, Date.now())}`;
}

/** @param {import("./hooks-state.js").Run} failure */
function failureTitle({ at, session, reason }) {
  return [fullTime(at), session === "" ? "" : `session ${session}`, reason].filter((part) => part !== "").join(", ");
}
