/** The list of sessions, with their users, platforms and last messages. */
import { QUIET_MS } from "./alerts-state.js";
import { el, KeyedList, setAttribute, setText } from "./dom.js";
import { ago, count, counted, shortId } from "./format.js";
import { RovingButtons } from "./roving.js";
import { nameOf } from "./sessions-state.js";
import { usageWords } from "./usage.js";

/** @typedef {import("./session-events.js").Session} Session */

export class SessionsView {
  #list;
  #sessions;
  #keyed;
  #roving;
  /** The order while the list has the pointer or focus, so that nothing moves away. @type {readonly string[]} */
  #order = [];
  #selected = "";

  /**
   * @param {HTMLElement} list
   * @param {import("./sessions-state.js").Sessions} sessions
   * @param {(id: string) => void} onOpen
   */
  constructor(list, sessions, onOpen) {
    this.#list = list;
    this.#sessions = sessions;
    this.#roving = new RovingButtons(list);
    this.#keyed = new KeyedList(list, {
      key: (/** @type {Session} */ { id }) => id,
      // Relative times change every second.
      version: () => undefined,
      create: ({ id }) => newEntry(id, onOpen),
      update: (element, session) => fill(element, session, session.id === this.#selected),
    });
  }

  /** @param {string} id "" for none */
  select(id) {
    this.#selected = id;
  }

  focus() {
    this.#roving.focus();
  }

  draw() {
    const sessions = this.#inOrder();
    this.#order = sessions.map(({ id }) => id);
    this.#keyed.render(sessions);
    this.#roving.update();
  }

  #inOrder() {
    const sessions = this.#sessions.list();
    if (!this.#list.matches(":hover, :focus-within")) return sessions;
    const places = new Map(this.#order.map((id, place) => [id, place]));
    return sessions.toSorted((a, b) => (places.get(a.id) ?? -1) - (places.get(b.id) ?? -1));
  }
}

/**
 * @param {string} id
 * @param {(id: string) => void} onOpen
 */
function newEntry(id, onOpen) {
  const parts = ["name", "when", "state", "bad", "words", "facts"].map((name) => el("span", { class: name }));
  const button = el("button", { type: "button", class: "session talk" }, ...parts);
  button.addEventListener("click", () => onOpen(id));
  return el("li", {}, button);
}

/**
 * @param {HTMLElement} element
 * @param {Session} session
 * @param {boolean} isSelected
 */
function fill(element, session, isSelected) {
  const button = element.firstElementChild;
  if (button === null) return;
  const [name, when, state, bad, words, facts] = button.children;
  setAttribute(button, "aria-current", isSelected ? "true" : null);
  setAttribute(button, "data-state", session.state);
  if (state) setText(state, stateWords(session));
  if (name) setText(name, nameOf(session));
  if (bad) setText(bad, badWords(session));
  if (when) setText(when, ago(session.lastAt, Date.now()));
  if (words) setText(words, lastWords(session));
  if (facts) setText(facts, factsOf(session));
}

/** @param {Session} session */
export function stateWords({ state, lastAt, turns }) {
  if (state === "running" && waitsForUser(turns.at(-1))) return "waits for your approval";
  return state === "running" && Date.now() - lastAt > QUIET_MS ? "running, quiet" : state;
}

/** @param {import("./turns.js").Turn | undefined} turn */
function waitsForUser(turn) {
  return turn?.isOpen === true && turn.items.some(({ state }) => state === "asks");
}

/** @param {Session} session */
function lastWords({ lastWords: words }) {
  if (words === null) return "Nothing said yet";
  return `${words.who === "person" ? "User" : "Agent"}: ${words.text}`;
}

/** Its errors and blocks; "" for none. @param {Session} session */
export function badWords({ errors, blocks }) {
  const parts = [errors > 0 ? counted(errors, "error") : "", blocks > 0 ? `${count(blocks)} blocked` : ""];
  return parts.filter((part) => part !== "").join(", ");
}

/** @param {Session} session */
function factsOf({ id, platform, user, model, turnCount, tokens, usage, src }) {
  const used = usageWords(usage, tokens);
  const parts = [shortId(id), platform || src, user, model, counted(turnCount, "turn"), used];
  return parts.filter((part) => part !== "").join(" · ");
}
