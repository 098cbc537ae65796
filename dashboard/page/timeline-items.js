/** The items of a turn as elements. Outcomes are given in words; colour only repeats them. */
import { el, KeyedList, setAttribute, setText } from "./dom.js";
import { clockTime, duration, oneLine, shortName } from "./format.js";
import { outcomeWords } from "./summary.js";
import { callSummary } from "./values.js";

/** @typedef {import("./turns.js").Item} Item */

/** @type {Record<Item["kind"], string>} */
const WHO = {
  message: "User",
  answer: "Agent",
  reasoning: "Thinks",
  tool: "Tool",
  hook: "Hook",
  injected: "Added",
  error: "Error",
};

/** @param {Item} item */
export function itemElement(item) {
  const main = el("span", { class: "main" }, el("span", { class: "label" }), el("span", { class: "about" }));
  const head = el(
    "div",
    { class: "head" },
    el("span", { class: "who" }),
    main,
    el("span", { class: "state" }),
    el("span", { class: "time" }),
  );
  if (item.kind !== "tool")
    return el("li", { class: "item", "data-kind": item.kind }, head, el("p", { class: "text" }));
  const details = el("details", {}, el("summary", {}, head), labelled("Arguments"), labelled("Result"));
  const hooks = el("ol", { class: "items hooks", "aria-label": "Hooks of this call" });
  const element = el("li", { class: "item", "data-kind": item.kind }, details, hooks);
  HOOKS.set(element, new KeyedList(hooks, { key: ({ id }) => id, version, create: itemElement, update: updateItem }));
  return element;
}

/** The lists of the hooks below tool calls. @type {WeakMap<HTMLElement, KeyedList<Item>>} */
const HOOKS = new WeakMap();

/** @param {Item} item */
const version = (item) => item.version;

/** @param {string} name */
function labelled(name) {
  return el("div", { class: "part" }, el("span", { class: "part-name" }, name), el("pre"));
}

/**
 * @param {HTMLElement} element
 * @param {Item} item
 */
export function updateItem(element, item) {
  const head = element.querySelector(".head");
  const [who, , label, about, state, time] = head?.querySelectorAll("span") ?? [];
  setAttribute(element, "data-state", item.state);
  if (who) setText(who, WHO[item.kind]);
  if (label) {
    setText(label, item.kind === "hook" ? shortName(item.label) : item.label);
    if (item.kind === "hook") setAttribute(label, "title", item.label);
  }
  if (about) setText(about, aboutOf(item));
  if (state) setText(state, stateOf(item));
  if (time) setText(time, clockTime(item.at));
  if (item.kind === "tool") updateTool(element, item);
  const text = element.querySelector(":scope > .text");
  if (!(text instanceof HTMLElement)) return;
  setText(text, item.text);
  text.hidden = item.text === "";
}

/**
 * @param {HTMLElement} element
 * @param {Item} item
 */
function updateTool(element, item) {
  const [args, result] = element.querySelectorAll("pre");
  if (args) setText(args, item.detail || "none");
  const isPending = item.state === "running" || item.state === "asks";
  if (result) setText(result, item.text || (isPending ? "not yet" : "nothing"));
  HOOKS.get(element)?.render(item.hooks);
}

/** @param {Item} item */
function aboutOf({ kind, detail, source }) {
  if (kind === "hook") return [detail, source].filter((part) => part !== "").join(", ");
  if (kind !== "tool") return "";
  try {
    return oneLine(callSummary(JSON.parse(detail)), 120);
  } catch {
    // It was cut because it was long; its beginning is enough.
    return oneLine(detail, 120);
  }
}

/** @param {Item} item */
function stateOf({ kind, state, cause, durationMs, blockedBy }) {
  if (state === "blocked") return blockedBy;
  const words = kind === "hook" ? outcomeWords({ outcome: state, cause }) : (SHOWN_STATES[state] ?? "");
  return [words, duration(durationMs)].filter((part) => part !== "").join(" · ");
}

/** @type {Record<string, string>} */
const SHOWN_STATES = {
  running: "running",
  asks: "waits for your approval",
  ok: "ok",
  failed: "failed",
  streaming: "writing",
};
