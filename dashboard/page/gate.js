/** What a person sees who is not signed in: why, and how to get in. */
import { byId, setText } from "./dom.js";

/** @typedef {"refused" | "out" | "ended" | "unreachable"} Reason */

/** @type {Record<Reason, { title: string, text: string, command: string }>} */
const WORDS = {
  out: {
    title: "You are not signed in",
    text: "Run this where the dashboard runs, and open the link that it prints. Each link lets one browser in, once.",
    command: "hermes dashboard --link",
  },
  refused: {
    title: "This link does not work any more",
    text: "It was used already, or it is too old. Run this where the dashboard runs, and open the new link.",
    command: "hermes dashboard --link",
  },
  ended: {
    title: "Your session has ended",
    text: "The dashboard was started again, or nobody used it for long. Run this where it runs, and open the link.",
    command: "hermes dashboard --link",
  },
  unreachable: {
    title: "The dashboard does not answer",
    text: "It may not be running. Start it in a terminal; this page goes on as soon as it answers.",
    command: "hermes dashboard",
  },
};

export class Gate {
  #gate = byId("gate", HTMLElement);
  #title = byId("gate-title", HTMLElement);
  #retry = byId("gate-retry", HTMLButtonElement);

  /** @param {() => void} onRetry */
  constructor(onRetry) {
    this.#retry.addEventListener("click", onRetry);
  }

  /** @param {Reason} reason */
  show(reason) {
    const { title, text, command } = WORDS[reason];
    const isOther = this.#gate.hidden || this.#title.textContent !== title;
    setText(this.#title, title);
    setText(byId("gate-text", HTMLElement), text);
    setText(byId("gate-command", HTMLElement), command);
    this.#retry.hidden = reason !== "unreachable";
    this.#setOpen(false);
    if (isOther) this.#title.focus();
  }

  hide() {
    this.#setOpen(true);
  }

  /** @param {boolean} isOpen */
  #setOpen(isOpen) {
    this.#gate.hidden = isOpen;
    for (const id of ["main", "views", "pace", "sign-out"]) byId(id, HTMLElement).hidden = !isOpen;
  }
}
