/** The dashboard's page: signs in, keeps the stream open, and passes its events to the views. */
import { Banner } from "./banner.js";
import { Board } from "./board.js";
import { Connection } from "./connection.js";
import { byId, setText } from "./dom.js";
import { parseEvent } from "./events.js";
import { Gate } from "./gate.js";
import { fetchStatus, findAccess, signIn, signOut, takeCode } from "./session.js";
import { sizePanes } from "./pane-sizes.js";
import { applyTheme, nextTheme } from "./theme.js";

/** @typedef {import("./connection.js").ConnectionState} ConnectionState */

const STATUS_EVERY_MS = 2000;
const RETRY_MS = 3000;
/** After this many failed status requests, the stream is considered dead, too. */
const MOST_SILENT = 2;
/** A page that stays open asks for its session now and then, so that the browser keeps the cookie. */
const RENEW_EVERY_MS = 3_600_000;

/** @type {Record<ConnectionState, string>} */
const STATE_WORDS = {
  connecting: "Connecting…",
  live: "Live",
  reconnecting: "Reconnecting…",
  out: "Signed out",
};

/** @type {ConnectionState} */
let state = "connecting";
let silent = 0;
let retry = 0;
let isStarted = false;

const board = new Board({ onTheme: changeTheme });
const banner = new Banner();
const gate = new Gate(() => void enter());
const connection = new Connection(() => board.lastSeq, {
  onEvent: take,
  onMissed: (missed) => board.noteMissed(missed),
  onState: (next) => {
    setState(next);
    if (next === "out") gate.show("ended");
  },
});

showTheme(applyTheme());
sizePanes();
byId("theme", HTMLButtonElement).addEventListener("click", changeTheme);
byId("sign-out", HTMLButtonElement).addEventListener("click", () => void leave());
// A link pasted into this tab does not reload the page: only the fragment changes.
window.addEventListener("hashchange", () => {
  void enter();
  if (isStarted) board.address.follow();
});
document.addEventListener("visibilitychange", () => void pollStatus());
window.setInterval(() => void pollStatus(), STATUS_EVERY_MS);
window.setInterval(() => void (state === "live" && findAccess()), RENEW_EVERY_MS);
void enter();

/** Signs in, with the code in the URL if there is one. */
async function enter() {
  window.clearTimeout(retry);
  const code = takeCode();
  const answer = code === undefined ? undefined : await signIn(code);
  // A second click on a used link finds the session that the first one opened.
  const access = answer === "in" ? "in" : await findAccess();
  if (access === "in") return start();
  if (access === "unreachable") retry = window.setTimeout(() => void enter(), RETRY_MS);
  connection.close();
  setState(access === "out" ? "out" : "reconnecting");
  gate.show(access === "out" && answer === "refused" ? "refused" : access);
}

function start() {
  gate.hide();
  // The open stream continues; a second link in the same tab changes nothing.
  if (isStarted && state === "live") return;
  const isFirst = !isStarted;
  isStarted = true;
  setState("connecting");
  if (isFirst) board.address.follow();
  connection.open();
  void pollStatus();
}

async function leave() {
  connection.close();
  await signOut();
  // Forget everything that was shown.
  location.reload();
}

/** @param {string} data */
function take(data) {
  const event = parseEvent(data);
  if (event === undefined) return;
  // Numbers only grow; smaller ones belong to a new database.
  if (event.seq <= board.lastSeq) {
    board.clear();
    connection.open();
    return;
  }
  board.add(event);
}

async function pollStatus() {
  if (document.hidden || (state !== "live" && state !== "connecting")) return;
  const status = await fetchStatus();
  if (status !== undefined) {
    silent = 0;
    board.setStatus(status);
    await board.poll();
    return;
  }
  silent++;
  // A hanging dashboard keeps its connections open but sends nothing.
  if (silent < MOST_SILENT || state !== "live") return;
  silent = 0;
  connection.reopen();
}

/** @param {ConnectionState} next */
function setState(next) {
  state = next;
  const chip = byId("connection", HTMLElement);
  chip.dataset["state"] = next;
  setText(chip, STATE_WORDS[next]);
  // The screen of a page that was never signed in says it itself.
  banner.set(next === "reconnecting" && isStarted);
}

function changeTheme() {
  showTheme(nextTheme());
}

/** @param {string} theme */
function showTheme(theme) {
  setText(byId("theme", HTMLButtonElement), `Theme: ${theme}`);
}
