/** Summarises an event in one line, and tells whether it is bad news. No DOM. */
import { count, counted, duration, oneLine, shortName } from "./format.js";
import { callSummary, jsonOf, numberOf, payloadOf, reasonOf, textOf, textsOf } from "./values.js";

/** @typedef {"" | "block" | "error" | "timeout"} Tone */
/** @typedef {Record<string, unknown>} Fields */

/**
 * By event type: from the payload for `tui:*` (CONTRACT §9), else from the context (seed 003).
 *
 * @type {Record<string, (fields: Fields) => string>}
 */
const SUMMARIES = {
  "tui:session.info": ({ model, platform, resumed }) =>
    `${textOf(model)} on ${textOf(platform)}${resumed === true ? ", resumed" : ""}`,
  "tui:message.start": () => "starts to answer",
  "tui:message.delta": ({ text }) => textOf(text),
  "tui:reasoning.delta": ({ text }) => textOf(text),
  "tui:message.complete": ({ text, notice }) => join([textOf(text), textOf(notice)], " · "),
  "tui:tool.start": ({ name, params }) => join([textOf(name), callSummary(params)], "  "),
  "tui:tool.complete": ({ name, success, content }) =>
    `${textOf(name)} ${success === false ? "failed" : "done"}: ${textOf(content)}`,
  // The outcome comes first, because script names are long.
  "tui:hook.complete": hookSummary,
  "tui:injected": ({ source_kind, source_label, content }) =>
    `${join([textOf(source_kind), textOf(source_label)], " ")}: ${textOf(content)}`,
  "tui:session.compacted": ({ summarized, kept }) => `${textOf(summarized)} messages summarized, ${textOf(kept)} kept`,
  "tui:status.update": ({ input_tokens, output_tokens }) =>
    `${count(numberOf(input_tokens) ?? 0)} tokens in, ${count(numberOf(output_tokens) ?? 0)} out`,
  "tui:error": ({ code, message }) => join([textOf(code), textOf(message)], ": "),
  "tui:model.retry": ({ problem, delay_ms }) =>
    join([`sends the request again in ${duration(numberOf(delay_ms)) || "a moment"}`, textOf(problem)], ": "),
  "tui:turn.complete": (turn) => `${endingWords(turn)}${after(turn["duration_ms"])}`,
  "agent:start": ({ message }) => textOf(message),
  "agent:step": ({ iteration, tool_names }) =>
    join([`request ${textOf(iteration)}`, textsOf(tool_names).join(", ")], ": "),
  "agent:end": ({ response }) => textOf(response) || "no answer",
  "session:start": onPlatform,
  "session:end": onPlatform,
  "session:reset": onPlatform,
  "gateway:startup": ({ platforms }) => textsOf(platforms).join(", ") || "no platforms",
};

/**
 * @param {string} type
 * @param {Fields} context
 */
export function summaryOf(type, context) {
  const fields = type.startsWith("tui:") ? payloadOf(context) : context;
  if (type.startsWith("command:")) {
    const name = textOf(fields["command"]) || type.slice("command:".length);
    return oneLine(join([name.startsWith("/") ? name : `/${name}`, textOf(fields["args"])], " "));
  }
  const summary = Object.hasOwn(SUMMARIES, type) ? SUMMARIES[type]?.(fields) : undefined;
  return oneLine(summary || jsonOf(context));
}

/**
 * @param {string} type
 * @param {Fields} context
 * @returns {Tone}
 */
export function toneOf(type, context) {
  if (type === "tui:error" || type === "tui:model.retry") return "error";
  const payload = payloadOf(context);
  if (type === "tui:tool.complete" && payload["success"] === false) return "error";
  if (type !== "tui:hook.complete") return "";
  const outcome = payload["outcome"];
  return outcome === "block" || outcome === "error" || outcome === "timeout" ? outcome : "";
}

/**
 * The outcome of a hook's run, in words; names the cause when a failed guard blocked.
 *
 * @param {Fields} run
 */
export function outcomeWords({ outcome, cause }) {
  const word = textOf(outcome) || "unknown";
  return typeof cause === "string" && cause !== "" && cause !== word ? `${word} (${cause})` : word;
}

/**
 * How a turn ended.
 *
 * @param {Fields} turn
 */
export function endingWords({ completed, interrupted }) {
  if (interrupted === true) return "interrupted";
  return completed === false ? "not completed" : "completed";
}

/**
 * @param {{ input: number, output: number }} tokens
 */
export function tokenWords({ input, output }) {
  return `${counted(input, "token")} in, ${count(output)} out`;
}

/** @param {Fields} run */
function hookSummary(run) {
  const what = `${shortName(textOf(run["name"]))} on ${textOf(run["event"])}${after(run["duration_ms"])}`;
  return `${outcomeWords(run)}: ${join([what, reasonOf(run["detail"])], ": ")}`;
}

/** @param {Fields} context */
function onPlatform({ platform, user_id }) {
  return join([textOf(platform), textOf(user_id)], ", ");
}

/** @param {unknown} ms */
function after(ms) {
  const time = duration(numberOf(ms));
  return time === "" ? "" : `, ${time}`;
}

/**
 * @param {string[]} parts
 * @param {string} separator
 */
function join(parts, separator) {
  return parts.filter((part) => part !== "").join(separator);
}
