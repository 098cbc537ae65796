/** Applies each event to its session and the running turn. No DOM. */
import { oneLine } from "./format.js";
import { endingWords } from "./summary.js";
import {
  answerItem,
  completeTool,
  errorItem,
  growAnswer,
  hookItem,
  injectedItem,
  messageItem,
  newTurn,
  reasoningItem,
  toolItem,
} from "./turns.js";
import { numberOf, payloadOf, textOf } from "./values.js";

/** @typedef {import("./turns.js").Turn} Turn */
/** @typedef {import("./turns.js").Item} Item */
/** @typedef {Record<string, unknown>} Fields */

/**
 * @typedef {object} Session
 * @property {string} id
 * @property {string} key the gateway's name for the conversation; "" when unknown
 * @property {string} src the process that last reported it
 * @property {string} platform
 * @property {string} user
 * @property {string} model
 * @property {string} title as it is stored; "" until it is known
 * @property {string} firstWords of the user, as far as they are kept
 * @property {"running" | "idle" | "ended"} state
 * @property {number} lastAt
 * @property {{ who: "person" | "agent", text: string } | null} lastWords
 * @property {{ problem: string, at: number, until: number } | null} retry while a failed model request waits
 * @property {number} tokens of the turns whose events are kept, in and out
 * @property {import("./usage.js").Usage | null} usage of all turns, as it is stored; null until it is known
 * @property {number} errors of tools, hooks and turns
 * @property {number} blocks calls and messages that hooks blocked
 * @property {Turn[]} turns
 * @property {number} turnCount also those that are no longer kept
 * @property {number} version grows with each change
 */

/**
 * @typedef {object} Telling
 * @property {Session} session
 * @property {number} at
 * @property {() => number} nextId
 * @property {(turn: Turn, item: Item) => void} put
 */

const WORDS = 140;

/** @type {Record<string, (telling: Telling, fields: Fields) => void>} */
const HANDLERS = {
  "session:start": ({ session }) => {
    if (session.state === "ended") session.state = "idle";
  },
  "session:reset": ({ session }) => {
    session.state = "idle";
  },
  "session:end": ({ session, at }) => {
    endTurn(lastTurn(session), at);
    session.state = "ended";
  },
  "agent:start": (telling, { message }) => {
    const turn = turnForMessage(telling);
    turn.hasMessage = true;
    telling.session.state = "running";
    telling.session.firstWords ||= oneLine(textOf(message), WORDS);
    speak(telling.session, "person", message);
    telling.put(turn, messageItem(telling.nextId(), telling.at, message));
  },
  "agent:end": (telling, { response }) => {
    const turn = lastTurn(telling.session);
    const text = textOf(response);
    speak(telling.session, "agent", text);
    // A process that mirrors the turn's frames has already sent the answer.
    if (turn !== undefined && text !== "" && !turn.items.some(({ kind }) => kind === "answer")) {
      telling.put(turn, answerItem(telling.nextId(), telling.at, text, "done"));
    }
    endTurn(turn, telling.at);
    telling.session.state = "idle";
  },
  "tui:session.info": ({ session }, { model, platform }) => {
    session.model = textOf(model) || session.model;
    session.platform = textOf(platform) || session.platform;
  },
  "tui:message.start": (telling) => {
    finishAnswer(lastTurn(telling.session));
    telling.put(openTurn(telling), answerItem(telling.nextId(), telling.at, "", "streaming"));
  },
  "tui:message.delta": (telling, { text }) => {
    const turn = openTurn(telling);
    const last = turn.items.findLast(({ kind }) => kind === "answer" || kind === "tool");
    if (last?.state === "streaming") growAnswer(last, textOf(text));
    else telling.put(turn, answerItem(telling.nextId(), telling.at, text, "streaming"));
    turn.version++;
  },
  "tui:reasoning.delta": (telling, { text }) => {
    const turn = openTurn(telling);
    const last = turn.items.findLast(({ kind }) => kind !== "hook");
    if (last?.kind === "reasoning" && last.state === "streaming") growAnswer(last, textOf(text));
    else telling.put(turn, reasoningItem(telling.nextId(), telling.at, text));
    turn.version++;
  },
  "tui:message.complete": (telling, { text, notice, finish_reason }) => {
    speak(telling.session, "agent", text);
    const turn = openTurn(telling);
    const streamed = turn.items.findLast(({ kind }) => kind === "answer" || kind === "tool");
    const whole = answerItem(telling.nextId(), telling.at, text, "done");
    // The answer after hooks replaces the streamed text.
    if (streamed?.state === "streaming") {
      streamed.text = whole.text;
      finishAnswer(turn);
    } else {
      finishAnswer(turn);
      telling.put(turn, whole);
    }
    if (textOf(notice) === "") return;
    telling.put(turn, errorItem(telling.nextId(), telling.at, { message: notice, code: finish_reason }));
  },
  "tui:tool.start": (telling, call) => {
    const turn = openTurn(telling);
    finishAnswer(turn);
    telling.put(turn, toolItem(telling.nextId(), telling.at, call));
  },
  "tui:tool.complete": (telling, result) => {
    const id = textOf(result["tool_id"]);
    const turn = openTurn(telling);
    let tool = turn.items.findLast((item) => item.kind === "tool" && item.toolId === id && isPending(item));
    if (tool === undefined) {
      // Its start is no longer kept.
      tool = toolItem(telling.nextId(), telling.at, result);
      telling.put(turn, tool);
    }
    completeTool(tool, telling.at, result);
    if (tool.state === "failed") telling.session.errors++;
    turn.version++;
    // A tool that the user called is a turn without a message; no event reports its end.
    if (!turn.hasMessage && !turn.items.some(isPending)) endTurn(turn, telling.at);
  },
  "tui:hook.complete": (telling, run) => {
    const turn = lastTurn(telling.session) ?? openTurn(telling);
    const hook = hookItem(telling.nextId(), telling.at, run);
    telling.put(turn, hook);
    if (hook.state === "block") telling.session.blocks++;
    if (hook.cause !== "" || hook.state === "error" || hook.state === "timeout") telling.session.errors++;
  },
  "tui:injected": (telling, injected) => {
    telling.put(openTurn(telling), injectedItem(telling.nextId(), telling.at, injected));
  },
  "tui:error": (telling, error) => {
    const turn = lastTurn(telling.session) ?? openTurn(telling);
    telling.put(turn, errorItem(telling.nextId(), telling.at, error));
    telling.session.errors++;
  },
  "tui:model.retry": (telling, retry) => {
    const { at, session } = telling;
    const problem = oneLine(textOf(retry["problem"]), WORDS);
    session.retry = { problem, at, until: at + (numberOf(retry["delay_ms"]) ?? 0) };
    telling.put(openTurn(telling), errorItem(telling.nextId(), at, { message: problem, code: "request sent again" }));
  },
  "tui:status.update": ({ session }, { input_tokens, output_tokens }) => {
    const turn = lastTurn(session);
    if (turn === undefined) return;
    const before = turn.tokens ?? { input: 0, output: 0 };
    turn.tokens = { input: numberOf(input_tokens) ?? 0, output: numberOf(output_tokens) ?? 0 };
    // The figures are those of the turn so far.
    session.tokens += turn.tokens.input - before.input + turn.tokens.output - before.output;
    turn.version++;
  },
  "tui:turn.complete": ({ session, at }, result) => {
    const turn = lastTurn(session);
    if (turn === undefined) return;
    endTurn(turn, at);
    turn.ending = endingWords(result);
    turn.durationMs = numberOf(result["duration_ms"]) ?? turn.durationMs;
    if (session.state === "running") session.state = "idle";
  },
};

/**
 * Applies an event to its session; other types are ignored.
 *
 * @param {Telling} telling
 * @param {import("./values.js").DashboardEvent} event
 */
export function tell(telling, { type, context }) {
  if (!Object.hasOwn(HANDLERS, type)) return;
  // Whatever comes after the wait says that the request has been sent again.
  if (type !== "tui:hook.complete") telling.session.retry = null;
  HANDLERS[type]?.(telling, type.startsWith("tui:") ? payloadOf(context) : context);
}

/** A tool call without a result. @param {Item} item */
function isPending({ kind, state }) {
  return kind === "tool" && (state === "running" || state === "asks");
}

/** @param {Telling["session"]} session */
function lastTurn(session) {
  return session.turns.at(-1);
}

/**
 * The running turn; a new one when none is running.
 *
 * @param {Telling} telling
 */
function openTurn(telling) {
  const last = lastTurn(telling.session);
  return last?.isOpen === true ? last : beginTurn(telling);
}

/**
 * The turn that a message starts: hooks of the session's start ran before it and belong to it.
 *
 * @param {Telling} telling
 */
function turnForMessage(telling) {
  const last = lastTurn(telling.session);
  // What came before the message: hooks, and where a message of a daemon or plugin is from.
  const isFirst = last?.items.every(({ kind }) => kind === "hook" || kind === "injected");
  if (last?.isOpen === true && !last.hasMessage && isFirst) return last;
  endTurn(last, telling.at);
  return beginTurn(telling);
}

/** @param {Telling} telling */
function beginTurn({ session, at }) {
  const turn = newTurn(++session.turnCount, at);
  session.turns.push(turn);
  return turn;
}

/**
 * @param {Turn | undefined} turn
 * @param {number} at
 */
function endTurn(turn, at) {
  if (turn?.isOpen !== true) return;
  turn.isOpen = false;
  turn.durationMs ??= Math.max(0, at - turn.startedAt);
  finishAnswer(turn);
  turn.version++;
}

/** @param {Turn | undefined} turn */
function finishAnswer(turn) {
  for (const item of turn?.items ?? []) {
    if (item.state !== "streaming") continue;
    item.state = "done";
    item.version++;
  }
}

/**
 * @param {Telling["session"]} session
 * @param {"person" | "agent"} who
 * @param {unknown} words
 */
function speak(session, who, words) {
  const text = oneLine(textOf(words), WORDS);
  if (text !== "") session.lastWords = { who, text };
}
