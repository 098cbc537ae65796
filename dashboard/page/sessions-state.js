/** The sessions, built from events; limited in number. No DOM. */
import { sessionOf } from "./events.js";
import { oneLine, shortId } from "./format.js";
import { tell } from "./session-events.js";
import { addItem } from "./turns.js";
import { textOf } from "./values.js";

/** @typedef {import("./values.js").DashboardEvent} DashboardEvent */
/** @typedef {import("./session-events.js").Session} Session */

const MOST_SESSIONS = 200;
const LONGEST_TITLE = 140;
const MOST_TURNS = 50;
/** Items of all turns of all sessions. */
const MOST_ITEMS = 10_000;

export class Sessions {
  /** By id, the most recent last. @type {Map<string, Session>} */
  #sessions = new Map();
  /** The end of a session may be reported by its key only (seed 003). @type {Map<string, Session>} */
  #byKey = new Map();
  #items = 0;
  #nextId = 1;

  get size() {
    return this.#sessions.size;
  }

  /** @param {string} id */
  get(id) {
    return this.#sessions.get(id);
  }

  /** Running sessions first, then the others; the most recent first. */
  list() {
    const all = [...this.#sessions.values()].toReversed();
    return [...all.filter(({ state }) => state === "running"), ...all.filter(({ state }) => state !== "running")];
  }

  /**
   * Gives a session what is stored of it. Returns whether that is new.
   *
   * @param {string} id
   * @param {{ title: string, usage: import("./usage.js").Usage | null }} stored
   */
  setStored(id, { title, usage }) {
    const session = this.#sessions.get(id);
    if (session === undefined) return false;
    const next = { title: oneLine(title, LONGEST_TITLE), usage };
    if (JSON.stringify(next) === JSON.stringify({ title: session.title, usage: session.usage })) return false;
    Object.assign(session, next);
    session.version++;
    return true;
  }

  clear() {
    this.#sessions.clear();
    this.#byKey.clear();
    this.#items = 0;
  }

  /**
   * Takes an event; returns its session.
   *
   * @param {DashboardEvent} event
   */
  add(event) {
    const session = this.#find(event);
    if (session === undefined) return undefined;
    this.#note(session, event);
    tell(
      {
        session,
        at: event.at,
        nextId: () => this.#nextId++,
        put: (turn, item) => {
          this.#items += addItem(turn, item);
        },
      },
      event,
    );
    this.#bound(session);
    return session;
  }

  /** @param {DashboardEvent} event */
  #find({ context }) {
    const id = sessionOf(context);
    if (id === "") return this.#byKey.get(textOf(context["session_key"]));
    return this.#sessions.get(id) ?? newSession(id);
  }

  /**
   * @param {Session} session
   * @param {DashboardEvent} event
   */
  #note(session, { at, src, context }) {
    session.version++;
    session.lastAt = at;
    session.src = src;
    session.platform = textOf(context["platform"]) || session.platform;
    session.user = textOf(context["user_id"]) || session.user;
    const key = textOf(context["session_key"]);
    if (key !== "") {
      session.key = key;
      this.#byKey.set(key, session);
    }
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
  }

  /** @param {Session} told the session that the last event was about */
  #bound(told) {
    if (told.turns.length > MOST_TURNS) this.#dropTurn(told);
    while (this.#sessions.size > MOST_SESSIONS) this.#dropSession();
    while (this.#items > MOST_ITEMS) {
      const [oldest] = this.#sessions.values();
      if (oldest === undefined) return;
      if (oldest.turns.length > 1) this.#dropTurn(oldest);
      else this.#dropSession();
    }
  }

  /** @param {Session} session */
  #dropTurn(session) {
    this.#items -= session.turns.shift()?.size ?? 0;
  }

  #dropSession() {
    const [oldest] = this.#sessions.values();
    if (oldest === undefined) return;
    while (oldest.turns.length > 0) this.#dropTurn(oldest);
    this.#sessions.delete(oldest.id);
    if (this.#byKey.get(oldest.key) === oldest) this.#byKey.delete(oldest.key);
  }
}

/**
 * @param {string} id
 * @returns {Session}
 */
function newSession(id) {
  return {
    id,
    key: "",
    src: "",
    platform: "",
    user: "",
    model: "",
    title: "",
    firstWords: "",
    state: "idle",
    lastAt: 0,
    lastWords: null,
    retry: null,
    tokens: 0,
    usage: null,
    errors: 0,
    blocks: 0,
    turns: [],
    turnCount: 0,
    version: 0,
  };
}

/**
 * What a session is called: its title, else the first words of the user, else the end of its id.
 *
 * @param {Session} session
 */
export function nameOf({ id, title, firstWords }) {
  return title || firstWords || shortId(id);
}
