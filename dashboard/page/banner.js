/** The banner of a dashboard that no longer answers: since when, and the command that brings it back. */
import { byId, setText } from "./dom.js";
import { clockTime } from "./format.js";

/** A short break is nothing to read about. */
const SHOWN_AFTER_MS = 1500;
const PORT = "9119";

export class Banner {
  #banner = byId("gone", HTMLElement);
  #timer = 0;

  /** @param {boolean} isGone */
  set(isGone) {
    if (!isGone) {
      window.clearTimeout(this.#timer);
      this.#timer = 0;
      this.#banner.hidden = true;
      return;
    }
    if (this.#timer !== 0) return;
    const since = clockTime(Date.now());
    this.#timer = window.setTimeout(() => {
      setText(byId("gone-since", HTMLElement), `The dashboard has not answered since ${since}.`);
      setText(byId("gone-command", HTMLElement), startCommand());
      this.#banner.hidden = false;
    }, SHOWN_AFTER_MS);
  }
}

/** The command that starts the dashboard under this page's address. */
export function startCommand() {
  const { port } = location;
  return port === "" || port === PORT ? "hermes dashboard" : `hermes dashboard --port ${port}`;
}
