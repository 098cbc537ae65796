/** Searches the messages of all stored sessions; while there is a text, its hits replace the list of sessions. */
import { byId, el, setText } from "./dom.js";
import { ago, counted, oneLine, shortId } from "./format.js";
import { fetchJson } from "./session.js";
import { isRecord, numberOf, textOf } from "./values.js";

/** The search starts when typing pauses. */
const REST_MS = 250;
const MOST = 50;
const LONGEST = 200;

/** @param {(id: string) => void} onOpen */
export function listenToSearch(onOpen) {
  const search = new SessionSearch(onOpen);
  let timer = 0;
  byId("session-search", HTMLInputElement).addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void search.search(), REST_MS);
  });
}

class SessionSearch {
  #input = byId("session-search", HTMLInputElement);
  #list = byId("search-hits", HTMLElement);
  #note = byId("search-note", HTMLElement);
  #live = byId("sessions-live", HTMLElement);
  #onOpen;
  /** Ends the search that runs. */
  #running = new AbortController();

  /** @param {(id: string) => void} onOpen */
  constructor(onOpen) {
    this.#onOpen = onOpen;
    this.#input.maxLength = LONGEST;
  }

  /** Shows what there is for the text. */
  async search() {
    // The dashboard stops what nobody waits for.
    this.#running.abort();
    const { signal } = (this.#running = new AbortController());
    const text = this.#input.value.trim();
    this.#live.hidden = text !== "";
    this.#list.hidden = this.#note.hidden = text === "";
    if (text === "") return this.#list.replaceChildren();
    setText(this.#note, "Searching…");
    const answer = await fetchJson(`api/search?${new URLSearchParams({ q: text, limit: String(MOST) })}`, signal);
    // Meanwhile something else was typed.
    if (signal.aborted) return;
    if ("problem" in answer) return this.#show([], answer.problem);
    const hits = isRecord(answer.value) && Array.isArray(answer.value["hits"]) ? answer.value["hits"] : [];
    this.#show(hits.filter(isRecord), hits.length === 0 ? "No stored session has all these words." : "");
  }

  /**
   * @param {readonly Record<string, unknown>[]} hits
   * @param {string} problem
   */
  #show(hits, problem) {
    setText(this.#note, problem || `${counted(hits.length, "session")}, last used first`);
    this.#list.replaceChildren(...hits.map((hit) => this.#entry(hit)));
  }

  /** @param {Record<string, unknown>} hit */
  #entry(hit) {
    const id = textOf(hit["session_id"]);
    const matches = numberOf(hit["matches"]) ?? 0;
    const facts = [shortId(id), textOf(hit["platform"]), matches > 0 ? counted(matches, "message") : "title"];
    const entry = el(
      "button",
      { type: "button", class: "session talk" },
      el("span", { class: "name" }, oneLine(textOf(hit["title"])) || shortId(id)),
      el("span", { class: "when" }, ago(Date.parse(textOf(hit["at"])), Date.now())),
      el("span", { class: "words" }, oneLine(textOf(hit["snippet"]))),
      el("span", { class: "facts" }, facts.filter(Boolean).join(" · ")),
    );
    entry.addEventListener("click", () => this.#onOpen(id));
    return el("li", {}, entry);
  }
}
