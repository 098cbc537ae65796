/** The panes of tasks and of webhooks: a filter by status, and a list whose entries open the details. */
import { byId, el, KeyedList, setAttribute, setText } from "./dom.js";
import { ago, count, counted, duration, oneLine } from "./format.js";
import { RovingButtons } from "./roving.js";
import { StoredResource } from "./stored-list.js";

/** @typedef {import("./stored-list.js").Task} Task */
/** @typedef {import("./stored-list.js").Delivery} Delivery */

const MOST = 100;

/**
 * @template Item
 * @typedef {object} StoredKind
 * @property {"tasks" | "webhooks"} view
 * @property {string} path
 * @property {(answer: any) => readonly Item[]} items
 * @property {(item: Item) => string} id
 * @property {(item: Item) => { status: string, state: string, words: string, facts: string, at: string }} describe
 */

/** @type {StoredKind<Task>} */
export const TASKS = {
  view: "tasks",
  path: "api/tasks",
  items: (answer) => answer.tasks,
  id: ({ id }) => id,
  describe: (task) => ({
    status: task.status,
    state: taskState(task),
    words: oneLine(task.prompt),
    facts: [
      task.duration_seconds === null ? "" : duration(task.duration_seconds * 1000),
      task.tools_called === null ? "" : counted(task.tools_called, "tool call"),
      task.tokens_used === null ? "" : counted(task.tokens_used, "token"),
      task.error === null ? "" : oneLine(task.error, 80),
    ]
      .filter((part) => part !== "")
      .join(" · "),
    at: task.created_at,
  }),
};

/** @type {StoredKind<Delivery>} */
export const DELIVERIES = {
  view: "webhooks",
  path: "api/deliveries",
  items: (answer) => answer.deliveries,
  id: ({ id }) => id,
  describe: (delivery) => ({
    status: delivery.status,
    state: delivery.status,
    words: `${delivery.event} to ${delivery.endpoint}`,
    facts: [
      delivery.attempts === 0 ? "not sent yet" : counted(delivery.attempts, "attempt"),
      nextAttempt(delivery),
      delivery.last_error === null ? "" : oneLine(delivery.last_error, 120),
    ]
      .filter((part) => part !== "")
      .join(" · "),
    at: delivery.created_at,
  }),
};

/** @param {Task} task */
export function taskState({ status, position, attempt }) {
  const place = position === null ? "" : `, number ${count(position)}`;
  return `${status}${place}${attempt > 1 ? `, attempt ${attempt}` : ""}`;
}

/** @param {Delivery} delivery */
export function nextAttempt({ status, next_attempt_at: next, attempts }) {
  if (status !== "pending" || next === null || attempts === 0) return "";
  const ms = Date.parse(next) - Date.now();
  return ms > 0 ? `again in ${duration(ms)}` : "again now";
}

/** @template Item */
export class StoredView {
  #kind;
  #resource;
  #keyed;
  #roving;
  #selected = "";
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
    this.#status = byId(`${kind.view}-status`, HTMLSelectElement);
    this.#status.addEventListener("change", () => {
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
    const isFiltered = this.#status.value !== "";
    this.#part("empty").hidden = value === undefined || items.length > 0 || isFiltered;
    this.#part("none").hidden = value === undefined || items.length > 0 || !isFiltered;
    const note = this.#part("problem");
    note.hidden = problem === "";
    setText(note, problem);
    setText(this.#part("count"), items.length < MOST ? "" : `the newest ${MOST}`);
  }

  #point() {
    const status = this.#status.value;
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
 * @param {{ status: string, state: string, words: string, facts: string, at: string }} item
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
  if (when) setText(when, ago(Date.parse(item.at), Date.now()));
}
