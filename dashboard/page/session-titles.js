/** Asks for the stored titles of sessions whose beginning is no longer among the events. No DOM. */
import { isRecord, textOf } from "./values.js";

const MOST_ASKED = 2000;
const MOST_LISTED = 200;

export class SessionTitles {
  #fetch;
  #sessions;
  /** How much of each session was known when its title was asked for. @type {Map<string, number>} */
  #asked = new Map();

  /**
   * @param {(path: string) => Promise<{ value: unknown } | { problem: string }>} fetchJson
   * @param {import("./sessions-state.js").Sessions} sessions
   */
  constructor(fetchJson, sessions) {
    this.#fetch = fetchJson;
    this.#sessions = sessions;
  }

  /** Reads the titles that are missing. Resolves with whether there are new ones. */
  async refresh() {
    const unnamed = this.#sessions.list().filter(({ id, title, turnCount }) => {
      return title === "" && turnCount !== this.#asked.get(id);
    });
    if (unnamed.length === 0) return false;
    if (this.#asked.size > MOST_ASKED) this.#asked.clear();
    // A title is stored with a session's first turn: one that had none yet is asked for again with the next turn.
    for (const { id, turnCount } of unnamed) this.#asked.set(id, turnCount);
    const answer = await this.#fetch(`api/sessions?limit=${MOST_LISTED}`);
    if (!("value" in answer) || !isRecord(answer.value)) return false;
    const { sessions: list } = answer.value;
    const known = (Array.isArray(list) ? list : []).filter(isRecord);
    const titles = new Map(known.map((one) => [textOf(one["id"]), textOf(one["title"])]));
    const found = unnamed.filter(({ id }) => (titles.get(id) ?? "") !== "");
    for (const { id } of found) this.#sessions.setTitle(id, titles.get(id) ?? "");
    return found.length > 0;
  }
}
