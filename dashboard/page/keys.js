/** Keyboard shortcuts. They are ignored while typing, and with Ctrl, Alt or Meta. */
import { byId } from "./dom.js";

/**
 * @typedef {object} KeyActions
 * @property {HTMLElement} list the feed's list
 * @property {() => void} filter
 * @property {() => void} togglePause
 * @property {(by: number) => void} move
 * @property {() => void} open
 * @property {() => void} close
 * @property {(view: number) => void} view counted from 0
 * @property {() => void} theme
 * @property {() => void} help
 * @property {() => number} page how many rows are visible
 */

/** Opens the list of the keys. */
export function showKeys() {
  byId("keys", HTMLDialogElement).showModal();
}

/** @param {KeyActions} actions */
export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]") !== null) return;
    const target = event.target instanceof Element ? event.target : document.body;
    const act = actionFor(event, target, actions);
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

/**
 * @param {KeyboardEvent} event
 * @param {Element} target
 * @param {KeyActions} actions
 */
function actionFor({ key }, target, actions) {
  if (isTyping(target)) return key === "Escape" ? () => actions.list.focus() : undefined;
  const anywhere = anywhereAction(key, actions);
  if (anywhere !== undefined) return anywhere;
  // A button handles Space and Enter itself; a scrolling pane handles the arrow keys.
  if (key === " " && !target.matches("button, summary, a, input")) return actions.togglePause;
  return target === actions.list || target === document.body ? listAction(key, actions) : undefined;
}

/**
 * @param {string} key
 * @param {KeyActions} actions
 */
function anywhereAction(key, actions) {
  if (/^[1-8]$/.test(key)) return () => actions.view(Number(key) - 1);
  /** @type {Record<string, () => void>} */
  const bound = {
    "/": actions.filter,
    "?": actions.help,
    p: actions.togglePause,
    t: actions.theme,
    Escape: actions.close,
    j: () => actions.move(1),
    k: () => actions.move(-1),
  };
  return Object.hasOwn(bound, key) ? bound[key] : undefined;
}

/**
 * @param {string} key
 * @param {KeyActions} actions
 */
function listAction(key, actions) {
  /** @type {Record<string, () => void>} */
  const bound = {
    ArrowDown: () => actions.move(1),
    ArrowUp: () => actions.move(-1),
    PageDown: () => actions.move(actions.page()),
    PageUp: () => actions.move(-actions.page()),
    Home: () => actions.move(Number.NEGATIVE_INFINITY),
    End: () => actions.move(Number.POSITIVE_INFINITY),
    Enter: actions.open,
  };
  return Object.hasOwn(bound, key) ? bound[key] : undefined;
}

/** @param {Element} target */
function isTyping(target) {
  if (target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "button"].includes(target.type);
}
