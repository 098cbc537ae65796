/** Asks for what is stored of sessions and no event has: titles, and the tokens and cost of all turns. No DOM. */
import { usageOf } from "./usage.js";
import { isRecord, textOf } from "./values.js";

const MOST_ASKED = 2000;
const MOST_LISTED = 200;

export class StoredFacts {
  #fetch;
  #sessions;
  /** How much of each session was known when it was asked for. @type {Map<string, string>} */
  #asked = new Map();

  /**
   * @param {(path: string) => Promise<{ value: unknown } | { problem: string }>} fetchJson
   * @param {import("./sessions-state.js").Sessions} sessions
   */
  constructor(fetchJson, sessions) {
    this.#fetch = fetchJson;
    this.#sessions = sessions;
  }

  /** Reads what may be new since the last time. Resolves with whether there was any of it. */
  async refresh() {
    // A title is stored with a session's first turn, tokens before the event of their turn.
    const wanted = this.#sessions.list().map(({ id, turnCount, tokens }) => ({ id, known: `${turnCount} ${tokens}` }));
    const news = wanted.filter(({ id, known }) => known !== this.#asked.get(id));
    if (news.length === 0) return false;
    const answer = await this.#fetch(`api/sessions?limit=${MOST_LISTED}`);
    if (!("value" in answer) || !isRecord(answer.value)) return false;
    if (this.#asked.size > MOST_ASKED) this.#asked.clear();
    for (const { id, known } of news) this.#asked.set(id, known);
    const { sessions: list } = answer.value;
    const stored = (Array.isArray(list) ? list : []).filter(isRecord);
    const changed = stored.map((one) =>
      this.#sessions.setStored(textOf(one["id"]), { title: textOf(one["title"]), usage: usageOf(one["usage"]) }),
    );
    return changed.includes(true);
  }
}
