/** Panes of a wide screen that are made wider or higher, with the pointer or the arrow keys; remembered by the browser. */
import { byId, setAttribute } from "./dom.js";
import { recall, remember } from "./memory.js";

/**
 * Which way a size grows, and its bounds as parts of the window.
 *
 * @typedef {{ axis: "x" | "y", from: "start" | "end", least: number, most: number }} Size
 */

/** @type {Record<string, Size>} */
const SIZES = {
  left: { axis: "x", from: "start", least: 0.1, most: 0.35 },
  right: { axis: "x", from: "end", least: 0.2, most: 0.5 },
  lower: { axis: "y", from: "end", least: 0.1, most: 0.7 },
};
const KEY = "hermes-pane-";
const STEP = 0.02;

/** Sets the sizes that were chosen before, and listens to the separators. */
export function sizePanes() {
  for (const [name, size] of Object.entries(SIZES)) {
    const handle = byId(`size-${name}`, HTMLElement);
    setAttribute(handle, "aria-orientation", size.axis === "x" ? "vertical" : "horizontal");
    const known = Number(recall(`${KEY}${name}`));
    if (known > 0) apply(name, known);
    listen(handle, name, size);
  }
}

/**
 * @param {HTMLElement} handle
 * @param {string} name
 * @param {Size} size
 */
function listen(handle, name, { axis, from, least, most }) {
  const set = (/** @type {number} */ part) => {
    const bounded = Math.min(most, Math.max(least, part)).toFixed(4);
    apply(name, Number(bounded));
    remember(`${KEY}${name}`, bounded);
  };
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  handle.addEventListener("pointermove", ({ pointerId, clientX, clientY }) => {
    if (!handle.hasPointerCapture(pointerId)) return;
    const frame = byId("main", HTMLElement).getBoundingClientRect();
    const at = axis === "x" ? (clientX - frame.left) / frame.width : (clientY - frame.top) / frame.height;
    set(from === "start" ? at : 1 - at);
  });
  // Back to the size of the style sheet.
  handle.addEventListener("dblclick", () => {
    document.documentElement.style.removeProperty(`--pane-${name}`);
    remember(`${KEY}${name}`, "");
  });
  handle.addEventListener("keydown", (event) => {
    const keys = axis === "x" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    const index = keys.indexOf(event.key);
    if (index === -1) return;
    event.preventDefault();
    const grows = (index === 1) === (from === "start");
    set(partOf(name, axis) + (grows ? STEP : -STEP));
  });
}

/**
 * @param {string} name
 * @param {number} part
 */
function apply(name, part) {
  document.documentElement.style.setProperty(`--pane-${name}`, `${(part * 100).toFixed(2)}%`);
  setAttribute(byId(`size-${name}`, HTMLElement), "aria-valuenow", String(Math.round(part * 100)));
}

/**
 * The size that a pane has now.
 *
 * @param {string} name
 * @param {"x" | "y"} axis
 */
function partOf(name, axis) {
  const pane = byId({ left: "sessions", right: "inspector", lower: "sources" }[name] ?? "sessions", HTMLElement);
  const [one, all] = [pane.getBoundingClientRect(), byId("main", HTMLElement).getBoundingClientRect()];
  return axis === "x" ? one.width / all.width : one.height / all.height;
}
