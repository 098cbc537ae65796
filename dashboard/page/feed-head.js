/** The texts around the feed's list: how many events it shows, whether it is paused, why it is empty. */
import { byId, setAttribute, setText } from "./dom.js";
import { count, counted } from "./format.js";

/** @typedef {import("./feed-state.js").Feed} Feed */

/**
 * @param {Feed} feed
 * @param {boolean} isPaused
 */
export function drawFeedHead(feed, isPaused) {
  const { count: shown, size, waiting, isWhole } = feed;
  const title = isWhole ? counted(size, "event") : `${count(shown + waiting)} of ${counted(size, "event")}`;
  setText(byId("feed-count", HTMLElement), title);
  const pause = byId("pause", HTMLButtonElement);
  setAttribute(pause, "aria-pressed", String(isPaused));
  setText(pause, isPaused ? "Resume" : "Pause");
  drawWaiting(feed, isPaused);
  const empty = byId("feed-empty", HTMLElement);
  empty.hidden = shown > 0;
  setText(empty, emptyWords(feed));
}

/**
 * @param {Feed} feed
 * @param {boolean} isPaused
 */
function drawWaiting({ isHeld, waiting }, isPaused) {
  const back = byId("feed-back", HTMLButtonElement);
  back.hidden = !isHeld || (waiting === 0 && !isPaused);
  setText(back, isPaused ? `Paused: ${counted(waiting, "event")} waiting` : `${counted(waiting, "new event")} ↑`);
}

/** @param {Feed} feed */
function emptyWords({ size, waiting }) {
  if (waiting > 0) return "These events are no longer available. Resume to see new ones.";
  if (size > 0) return "No events match the filter.";
  return "No events yet. Start “hermes chat” in another terminal, and its events appear here as they happen.";
}
