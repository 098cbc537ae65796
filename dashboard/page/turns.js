/** A turn of a session, built from events: messages, tool calls and hooks. No DOM. */
import { cut, oneLine, scriptName } from "./format.js";
import { isRecord, jsonOf, numberOf, reasonOf, textOf } from "./values.js";

/** Items per turn; those between the first and the last ones are only counted. */
const MOST_ITEMS = 300;
const MOST_TEXT = 4000;
/** Hooks of one tool call; of more, the first ones go. */
const MOST_HOOKS = 50;

/**
 * @typedef {object} Item
 * @property {number} id unique in its session
 * @property {"message" | "answer" | "tool" | "hook" | "injected" | "error" | "reasoning"} kind
 * @property {number} at
 * @property {number} version grows with each change
 * @property {string} text what was said; a tool's result; why a hook blocked or failed
 * @property {string} label the name of a tool or hook, the origin of injected text, or an error's code
 * @property {string} detail a tool's arguments, a hook's event
 * @property {string} source a hook's tier
 * @property {string} state a tool's `running`, `asks`, `ok`, `failed` or `blocked`; a hook's outcome; an answer's
 *   `streaming` or `done`
 * @property {string} cause why a failed guard blocked
 * @property {number | null} durationMs of a tool without its hooks
 * @property {string} toolId
 * @property {Item[]} hooks those of a tool call, in the order in which they ran
 * @property {string} blockedBy of a tool call: the hook that blocked it, and why; "" for none
 * @property {number} passedAt when the last hook let a tool call pass
 * @property {number} hookMs how long hooks took after the tool
 */

/**
 * @typedef {object} Turn
 * @property {number} number counted from 1
 * @property {number} startedAt
 * @property {boolean} isOpen
 * @property {boolean} hasMessage whether a user's message started it
 * @property {string} ending "" while it runs
 * @property {number | null} durationMs
 * @property {{ input: number, output: number } | null} tokens
 * @property {Item[]} items
 * @property {number} size the items and the hooks in them
 * @property {number} skipped items that are no longer kept
 * @property {number} version
 */

/**
 * @param {number} number
 * @param {number} at
 * @returns {Turn}
 */
export function newTurn(number, at) {
  return {
    number,
    startedAt: at,
    isOpen: true,
    hasMessage: false,
    ending: "",
    durationMs: null,
    tokens: null,
    items: [],
    size: 0,
    skipped: 0,
    version: 0,
  };
}

/**
 * Adds an item; a hook of a tool call is added to the call. Returns how many more there are now, which is less than one
 * when older ones were removed.
 *
 * @param {Turn} turn
 * @param {Item} item
 */
export function addItem(turn, item) {
  const before = turn.size;
  turn.version++;
  turn.size++;
  const call = callOf(turn, item);
  if (call === undefined) turn.items.push(item);
  else addHook(turn, call, item);
  if (turn.items.length > MOST_ITEMS) {
    // Always keep the message that started the turn.
    const [removed] = turn.items.splice(turn.hasMessage ? 1 : 0, 1);
    turn.size -= 1 + (removed?.hooks.length ?? 0);
    turn.skipped++;
  }
  return turn.size - before;
}

/**
 * The tool call that a hook ran for.
 *
 * @param {Turn} turn
 * @param {Item} item
 */
function callOf({ items }, { kind, toolId }) {
  if (kind !== "hook" || toolId === "") return undefined;
  return items.findLast((item) => item.kind === "tool" && item.toolId === toolId);
}

/**
 * @param {Turn} turn
 * @param {Item} call
 * @param {Item} hook
 */
function addHook(turn, call, hook) {
  call.version++;
  call.hooks.push(hook);
  if (call.hooks.length > MOST_HOOKS) {
    call.hooks.shift();
    turn.size--;
  }
  if (hook.detail !== GATE) {
    call.hookMs += hook.durationMs ?? 0;
    return;
  }
  call.passedAt = hook.at;
  if (hook.state === "ask" && call.state === "running") call.state = "asks";
  if (hook.state === "block" && call.blockedBy === "") call.blockedBy = blockWords(hook);
}

/** The event whose hooks decide whether a call runs. */
const GATE = "pre_tool_call";

/**
 * "blocked by guard.sh: the reason".
 *
 * @param {Pick<Item, "label" | "text" | "cause">} hook
 */
function blockWords({ label, text, cause }) {
  const reason = oneLine(text, 400) || cause;
  return `blocked by ${scriptName(label) || "a hook"}${reason === "" ? "" : `: ${reason}`}`;
}

/**
 * @param {number} id
 * @param {Item["kind"]} kind
 * @param {number} at
 * @param {Partial<Item>} fields
 * @returns {Item}
 */
function newItem(id, kind, at, fields) {
  const nothing = { text: "", label: "", detail: "", source: "", state: "", cause: "", toolId: "", blockedBy: "" };
  return { id, kind, at, version: 0, durationMs: null, hooks: [], passedAt: at, hookMs: 0, ...nothing, ...fields };
}

/**
 * @param {number} id
 * @param {number} at
 * @param {unknown} text
 */
export function messageItem(id, at, text) {
  return newItem(id, "message", at, { text: cut(textOf(text), MOST_TEXT) });
}

/**
 * @param {number} id
 * @param {number} at
 * @param {unknown} text
 * @param {"streaming" | "done"} state
 */
export function answerItem(id, at, text, state) {
  return newItem(id, "answer", at, { text: cut(textOf(text), MOST_TEXT), state });
}

/**
 * @param {number} id
 * @param {number} at
 * @param {unknown} text
 */
export function reasoningItem(id, at, text) {
  return newItem(id, "reasoning", at, { text: cut(textOf(text), MOST_TEXT), state: "streaming" });
}

/**
 * @param {number} id
 * @param {number} at
 * @param {Record<string, unknown>} call the payload of `tui:tool.start`
 */
export function toolItem(id, at, { name, tool_id, params }) {
  const detail = cut(isRecord(params) ? JSON.stringify(params, null, 2) : jsonOf(params), MOST_TEXT);
  return newItem(id, "tool", at, { label: textOf(name), toolId: textOf(tool_id), detail, state: "running" });
}

/**
 * @param {number} id
 * @param {number} at
 * @param {Record<string, unknown>} run the payload of `tui:hook.complete`
 */
export function hookItem(id, at, { event, source, name, outcome, cause, duration_ms, detail, tool_call_id }) {
  return newItem(id, "hook", at, {
    label: textOf(name),
    text: cut(reasonOf(detail), MOST_TEXT),
    toolId: textOf(tool_call_id),
    detail: textOf(event),
    source: textOf(source),
    state: textOf(outcome) || "unknown",
    cause: textOf(cause),
    durationMs: numberOf(duration_ms),
  });
}

/**
 * @param {number} id
 * @param {number} at
 * @param {Record<string, unknown>} injected
 */
export function injectedItem(id, at, { source_kind, source_label, content }) {
  const label = [textOf(source_kind), textOf(source_label)].filter((part) => part !== "").join(" ");
  return newItem(id, "injected", at, { label, text: cut(textOf(content), MOST_TEXT) });
}

/**
 * @param {number} id
 * @param {number} at
 * @param {Record<string, unknown>} error
 */
export function errorItem(id, at, { message, code }) {
  return newItem(id, "error", at, { label: textOf(code), text: cut(textOf(message), MOST_TEXT) });
}

/**
 * Appends text to a streaming answer or reasoning, up to a limit.
 *
 * @param {Item} answer
 * @param {string} text
 */
export function growAnswer(answer, text) {
  if (answer.text.length >= MOST_TEXT) return;
  answer.text = `${answer.text}${text}`.slice(0, MOST_TEXT);
  answer.version++;
}

/**
 * Adds a tool's result to its call. Its time is the tool's alone: from the last hook that let it pass, without the hooks
 * after it. How long the user thought about a question is not known, so a call that was asked about has none.
 *
 * @param {Item} tool
 * @param {number} at
 * @param {Record<string, unknown>} result the payload of `tui:tool.complete`
 */
export function completeTool(tool, at, { success, content }) {
  const wasAsked = tool.hooks.some(({ state }) => state === "ask");
  if (success !== false) tool.state = "ok";
  else tool.state = tool.blockedBy === "" ? "failed" : "blocked";
  tool.text = cut(textOf(content) || jsonOf(content), MOST_TEXT);
  tool.version++;
  // These times are the dashboard's; events of one batch have the same, so they give no duration.
  const ms = at - tool.passedAt - tool.hookMs;
  if (at > tool.passedAt && ms >= 0 && !wasAsked && tool.blockedBy === "") tool.durationMs = ms;
}
