/** The details of a daemon: facts, its webhooks and schedules, and its inbox. Everything is inserted as text. */
import { commandLines, factsOf, quoted, time } from "./detail-parts.js";
import { el, KeyedList, setAttribute, setText } from "./dom.js";
import { button } from "./event-view.js";
import { ago, count, oneLine, roughly, until } from "./format.js";

/** @typedef {import("./stored-list.js").Daemon} Daemon */
/** @typedef {import("./stored-list.js").DaemonDetails} Details */
/** @typedef {import("./stored-list.js").Message} Message */

const STATES = ["queued", "running", "done", "failed"];
/** How many messages the server gives. */
const MOST = 100;

/** Keeps its elements, so that a selection, an open message and the focus stay while messages come. */
export class DaemonDetailsView {
  #top = el("div", { class: "daemon" });
  #state = el("select", { "aria-label": "State of messages" }, el("option", { value: "" }, "All"));
  #note = el("p", { class: "empty" });
  #list = el("ul", { class: "messages", "aria-label": "Messages, newest first" });
  #messages;
  #onSession;
  /** What the upper part shows, so that it is only rebuilt for something else. */
  #holds = "";

  /** @param {{ onSession: (id: string) => void, onFilter: () => void }} handlers */
  constructor({ onSession, onFilter }) {
    this.#onSession = onSession;
    for (const state of STATES) this.#state.append(el("option", {}, state));
    this.#state.addEventListener("change", onFilter);
    this.#messages = new KeyedList(this.#list, {
      key: (/** @type {Message} */ { id }) => id,
      // Waiting times change every second.
      version: () => undefined,
      create: newMessage,
      update: fillMessage,
    });
  }

  get elements() {
    const head = el("div", { class: "messages-head" }, el("h3", {}, "Inbox"), this.#state);
    return [this.#top, head, this.#note, this.#list];
  }

  /** The path of what is shown of a daemon. @param {string} name */
  path(name) {
    return `api/daemons/inbox?${new URLSearchParams({ name, state: this.#state.value })}`;
  }

  /** Forgets what is shown. */
  clear() {
    this.#holds = "";
    this.#top.replaceChildren();
    this.#state.value = "";
    this.#messages.render([]);
    this.#note.hidden = true;
  }

  /** @param {Details} details */
  draw({ daemon, queued, schedules, messages }) {
    this.#messages.render(messages);
    this.#note.hidden = messages.length > 0 && messages.length < MOST;
    setText(this.#note, messages.length === 0 ? this.#nothing() : `The newest ${MOST}.`);
    for (const element of this.#top.querySelectorAll("[data-at]")) {
      setText(element, until(Number(element.getAttribute("data-at")), Date.now()));
    }
    const holds = JSON.stringify([daemon, queued, schedules]);
    if (holds === this.#holds) return;
    this.#holds = holds;
    this.#top.replaceChildren(
      facts(daemon, queued),
      ...this.#actions(daemon),
      ...commandLines(commandsFor(daemon)),
      ...hooks(daemon),
      ...scheduleList(schedules),
    );
  }

  #nothing() {
    return this.#state.value === "" ? "No messages." : "No message has this state.";
  }

  /** @param {Daemon} daemon */
  #actions({ session_id: session }) {
    if (session === null) return [];
    return [
      el(
        "div",
        { class: "actions" },
        button("Open session", () => this.#onSession(session)),
      ),
    ];
  }
}

/**
 * @param {Daemon} daemon
 * @param {Details["queued"]} queued
 */
function facts({ state, pid, started_at: started, queued: waiting }, queued) {
  const sources = Object.entries(queued).filter(([, some]) => some > 0);
  const bySource = sources.map(([source, some]) => `${count(some)} ${source}`).join(", ");
  return factsOf([
    ["State", state],
    ["Started", time(started)],
    ["Process", pid === null ? "" : String(pid)],
    ["Waiting", bySource === "" ? count(waiting) : `${count(waiting)} (${bySource})`],
  ]);
}

/** @param {Daemon} daemon */
function commandsFor({ name, state }) {
  const word = quoted(name);
  if (state === "stopped") return [`hermes run --daemon --name ${word}`, `hermes inbox list --name ${word}`];
  return [`hermes attach --name ${word}`, `hermes send --name ${word} 'TEXT'`];
}

/** @param {Daemon} daemon */
function hooks({ hooks: served }) {
  if (served.length === 0) return [];
  const list = el("dl", { class: "event-facts" });
  for (const { name, url, verify } of served) {
    const where = url === null ? "not served" : `${url} (verify: ${verify})`;
    list.append(el("dt", {}, name), el("dd", {}, where));
  }
  return [el("h3", {}, "Webhooks"), list];
}

/** @param {Details["schedules"]} schedules */
function scheduleList(schedules) {
  if (schedules.length === 0) return [];
  const list = el("ul", { class: "attempts" });
  for (const { when, prompt, next_at: next } of schedules) {
    const at = Date.parse(next);
    const due = el("span", { "data-at": String(at) }, until(at, Date.now()));
    list.append(el("li", {}, due, el("span", { class: "dim" }, ` ${when} `), oneLine(prompt)));
  }
  return [el("h3", {}, "Schedules"), list];
}

/** @param {Message} message */
function newMessage({ content }) {
  const parts = ["state", "source", "when", "words"].map((name) => el("span", { class: name }));
  const summary = el("summary", { class: "message" }, ...parts);
  return el("li", {}, el("details", {}, summary, el("pre", { class: "json", tabindex: "0" }, content)));
}

/**
 * @param {HTMLElement} element
 * @param {Message} message
 */
function fillMessage(element, { state, source, label, content, created_at: created }) {
  const summary = element.querySelector("summary");
  if (summary === null) return;
  const [status, from, when, words] = summary.children;
  const at = Date.parse(created);
  setAttribute(summary, "data-state", state);
  if (status) setText(status, state);
  if (from) setText(from, label === source ? source : `${source} ${label}`);
  if (when) setText(when, state === "queued" ? `waiting ${roughly(Date.now() - at)}` : ago(at, Date.now()));
  if (words) setText(words, oneLine(wordsOf(content)));
}

/** What a webhook's script printed, without the sentences that mark it as untrusted. @param {string} content */
function wordsOf(content) {
  const marked = /^----- begin untrusted ([0-9a-f]+) -----\n/m.exec(content);
  if (marked === null) return content;
  const words = content.slice(marked.index + marked[0].length);
  return words.split(`\n----- end untrusted ${marked[1]}`, 1)[0] ?? words;
}
