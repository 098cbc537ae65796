/** The stream of events: opens it, watches it, and reopens it after the last received event. */
import { findAccess } from "./session.js";

/** @typedef {"connecting" | "live" | "reconnecting" | "out"} ConnectionState */

/**
 * @typedef {object} ConnectionHandlers
 * @property {(data: string) => void} onEvent
 * @property {(missed: number) => void} onMissed events lost because this page was too slow or disconnected too long
 * @property {(state: ConnectionState) => void} onState
 */

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5000;

export class Connection {
  /** @type {EventSource | undefined} */
  #source;
  #timer = 0;
  /** The number of this attempt: results of earlier attempts are ignored. */
  #round = 0;
  #retryMs = FIRST_RETRY_MS;
  #lastSeq;
  #handlers;

  /**
   * @param {() => number} lastSeq the number of the last received event, 0 before the first
   * @param {ConnectionHandlers} handlers
   */
  constructor(lastSeq, handlers) {
    this.#lastSeq = lastSeq;
    this.#handlers = handlers;
  }

  /** Opens the stream; the page has a session. */
  open() {
    this.close();
    // EventSource's own reconnect would retry forever after the session has ended.
    const source = new EventSource(`api/events?after=${this.#lastSeq()}`);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#handlers.onState("live");
    });
    source.addEventListener("message", ({ data }) => this.#handlers.onEvent(data));
    source.addEventListener("dropped", (event) => {
      const missed = /"dropped":(\d+)/.exec(event instanceof MessageEvent ? String(event.data) : "")?.[1];
      if (missed !== undefined) this.#handlers.onMissed(Number(missed));
    });
    source.addEventListener("error", () => this.reopen());
  }

  /** Closes the stream and tries to open another one, until that succeeds or the session has ended. */
  reopen() {
    this.close();
    this.#handlers.onState("reconnecting");
    this.#timer = window.setTimeout(() => void this.#retry(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  close() {
    this.#round++;
    window.clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  async #retry() {
    const round = this.#round;
    const access = await findAccess();
    if (round !== this.#round) return;
    if (access === "out") this.#handlers.onState("out");
    else if (access === "in") this.open();
    else this.reopen();
  }
}
