/** The screen for users who are not signed in: why, and how to sign in. */
import { startCommand } from "./banner.js";
import { byId, setText } from "./dom.js";

/** @typedef {"refused" | "out" | "ended" | "unreachable"} Reason */

/** @type {Record<Reason, { title: string, text: string, command: string }>} */
const WORDS = {
  out: {
    title: "You are not signed in",
    text: "Run this command on the machine where the dashboard runs, and open the link it prints. Each link works once.",
    command: "hermes dashboard --link",
  },
  refused: {
    title: "This link is no longer valid",
    text: "It was already used or has expired. Run this command on the machine where the dashboard runs, and open the new link.",
    command: "hermes dashboard --link",
  },
  ended: {
    title: "Your session has ended",
    text: "It was not used for seven days, or somebody signed out. Run this command on the machine where the dashboard runs, and open the link.",
    command: "hermes dashboard --link",
  },
  unreachable: {
    title: "The dashboard is not responding",
    text: "It may not be running. Start it in a terminal; this page continues as soon as it responds.",
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
    setText(byId("gate-command", HTMLElement), reason === "unreachable" ? startCommand() : command);
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
    if (!isOpen) byId("alerts", HTMLElement).hidden = true;
  }
}
