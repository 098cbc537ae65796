/** A pane of what is stored: a list whose entries open the details, and perhaps a filter by status. */
import { byId, el, KeyedList, setAttribute, setText } from "./dom.js";
import { RovingButtons } from "./roving.js";
import { MOST } from "./stored-kinds.js";
import { StoredResource } from "./stored-list.js";

/**
 * @template Item
 * @typedef {import("./stored-kinds.js").StoredKind<Item>} StoredKind
 */

/** @template Item */
export class StoredView {
  #kind;
  #resource;
  #keyed;
  #roving;
  #selected = "";
  #onOpen;
  #status;

  /**
   * @param {StoredKind<Item>} kind
   * @param {ConstructorParameters<typeof StoredResource>[0]} fetchJson
   * @param {{ onOpen: (id: string) => void, onFilter: () => void }} handlers
   */
  constructor(kind, fetchJson, { onOpen, onFilter }) {
    this.#kind = kind;
    this.#resource = new StoredResource(fetchJson);
    const list = this.#part("list");
    this.#roving = new RovingButtons(list);
    this.#keyed = new KeyedList(list, {
      key: (/** @type {Item} */ item) => kind.id(item),
      // Relative times change every second.
      version: () => undefined,
      create: (item) => newEntry(kind.id(item), onOpen),
      update: (element, item) => fill(element, kind.describe(item), kind.id(item) === this.#selected),
    });
    this.#onOpen = onOpen;
    this.#status = kind.hasFilter ? byId(`${kind.view}-status`, HTMLSelectElement) : undefined;
    this.#status?.addEventListener("change", () => {
      this.#point();
      onFilter();
    });
    this.#point();
  }

  /** Reads the list again. Resolves with whether it is different. */
  refresh() {
    return this.#resource.refresh();
  }

  /** @param {string} id "" for none */
  select(id) {
    this.#selected = id;
  }

  focus() {
    this.#roving.focus();
  }

  draw() {
    const { value, problem } = this.#resource;
    const items = value === undefined ? [] : this.#kind.items(value);
    this.#keyed.render(items);
    this.#roving.update();
    const isFiltered = this.#status !== undefined && this.#status.value !== "";
    this.#part("empty").hidden = value === undefined || items.length > 0 || isFiltered;
    if (this.#status !== undefined) this.#part("none").hidden = value === undefined || items.length > 0 || !isFiltered;
    const note = this.#part("problem");
    note.hidden = problem === "";
    setText(note, problem);
    setText(this.#part("count"), this.#kind.summary(items));
    if (value !== undefined) this.#kind.drawMore?.(value, this.#onOpen);
  }

  #point() {
    const status = this.#status?.value ?? "";
    this.#resource.point(`${this.#kind.path}?limit=${MOST}${status === "" ? "" : `&status=${status}`}`);
  }

  /** @param {string} name */
  #part(name) {
    return byId(`${this.#kind.view}-${name}`, HTMLElement);
  }
}

/**
 * @param {string} id
 * @param {(id: string) => void} onOpen
 */
function newEntry(id, onOpen) {
  const parts = ["state", "words", "facts", "when"].map((name) => el("span", { class: name }));
  const button = el("button", { type: "button", class: "stored" }, ...parts);
  button.addEventListener("click", () => onOpen(id));
  return el("li", {}, button);
}

/**
 * @param {HTMLElement} element
 * @param {{ status: string, state: string, words: string, facts: string, when: string }} item
 * @param {boolean} isSelected
 */
function fill(element, item, isSelected) {
  const button = element.firstElementChild;
  if (button === null) return;
  const [state, words, facts, when] = button.children;
  setAttribute(button, "aria-current", isSelected ? "true" : null);
  setAttribute(button, "data-state", item.status);
  if (state) setText(state, item.state);
  if (words) setText(words, item.words);
  if (facts) setText(facts, item.facts);
  if (when) setText(when, item.when);
}
