/** Translates the answers of scripts written for Claude Code into those of `core/answers.ts`. */
import { HermesError } from "#core/errors";
import type { EventKind } from "#core/event-declaration";
import { declarationOf } from "#core/events";
import { isMapping } from "#core/mapping";
import type { HookReply } from "#core/ports/hook";
import {
  EXIT_BLOCK,
  excerpt,
  failureOfEnd,
  failureOfExit,
  scriptFailure,
  firstCharacters,
  textOf,
} from "#sandbox/shell/outcome";
import type { FinishedRun, ParsedRun } from "#sandbox/shell/codec";
import { claudeEvent } from "./claude-events.ts";
import { noticeIn, readOutput, specificOf, type Answer } from "./claude-output.ts";
import { ourInput } from "./claude-tools.ts";
import { isGiven, unknownVerb } from "./claude-verbs.ts";

/** In characters. */
const LONGEST_NOTE = 400;

/** Interprets a run of any event. Never throws. */
export function readRun(run: FinishedRun): ParsedRun {
  const { entry, firing, result } = run;
  const end = failureOfEnd(entry, firing.event, result);
  if (end !== null) return reading(run, { failure: end });
  return READERS[declarationOf(firing.event).kind](run);
}

/** Claude Code's scripts cannot replace a text, so at a transform they observe. */
const READERS: Readonly<Record<EventKind, (run: FinishedRun) => ParsedRun>> = {
  gate: readGate,
  context: readPrompt,
  transform: readObserver,
  observe: readObserver,
};

/** PreToolUse: exit 2, `permissionDecision`, `updatedInput`, `continue`, and the older `decision`. */
function readGate(run: FinishedRun): ParsedRun {
  const { entry, firing, result } = run;
  const { answer, text, problem } = readOutput(result.stdout);
  const remarks = remarksOf(run, answer, text);
  if (result.exit_code === EXIT_BLOCK) {
    const message = textOf(firstCharacters(result.stderr)) ?? denial(answer)?.message ?? noticeIn(answer) ?? "";
    return reading(run, { ...remarks, answer: { action: "block", message } });
  }
  const broken = problem === undefined ? undefined : scriptFailure(entry, firing.event, problem);
  const failure = failureOfExit(entry, firing.event, result) ?? broken;
  const denied = denial(answer);
  if (denied !== undefined) {
    return reading(run, { ...remarks, failure, answer: { action: "block", message: denied.message } });
  }
  const specific = specificOf(answer);
  const unsupported =
    textOf(specific["additionalContext"]) === undefined ? undefined : "it cannot add context to a tool call";
  const strange = unknownVerb(answer, ["allow", "ask"]);
  if (strange !== undefined) {
    return reading(run, { ...remarks, failure: failure ?? invalidAnswer(run, strange), unsupported });
  }
  const changed = updatedInput(specific["updatedInput"], run);
  if (typeof changed === "string") {
    const rejected = scriptFailure(entry, firing.event, changed);
    return reading(run, { ...remarks, failure: failure ?? rejected, unsupported });
  }
  const reason = textOf(specific["permissionDecisionReason"]) ?? noticeIn(answer) ?? "";
  const asks = specific["permissionDecision"] === "ask";
  const question: Answer = { ...changed, action: "ask", message: reason };
  return reading(run, { ...remarks, failure, answer: asks ? question : changed, unsupported });
}

/** Whether an answer stops the tool from running, and with which message. `defer` leaves the decision to others. */
function denial(answer: Answer): { readonly message: string } | undefined {
  const specific = specificOf(answer);
  const stops = answer["continue"] === false;
  const blocks = answer["decision"] === "block" || answer["action"] === "block";
  const denies = ["deny", "defer"].includes(specific["permissionDecision"] as string);
  if (!stops && !blocks && !denies) return undefined;
  const reasons = [
    stops ? answer["stopReason"] : undefined,
    denies ? specific["permissionDecisionReason"] : undefined,
    answer["reason"],
    answer["message"],
    noticeIn(answer),
  ];
  return { message: reasons.map(textOf).find((reason) => reason !== undefined) ?? "" };
}

function invalidAnswer({ entry: { name }, firing: { event } }: FinishedRun, problem: string): HermesError {
  return new HermesError("HERMES_HOOK_ANSWER", { source: "shell", name, event, problem });
}

/** `updatedInput` as a modify, null when there is none, or a clause that says why it is invalid. */
function updatedInput(input: unknown, { firing }: FinishedRun): Answer | string | null {
  if (input === undefined || input === null) return null;
  if (!isMapping(input)) return 'its "updatedInput" is not an object';
  const { tool_name: tool, args } = firing.payload as { tool_name?: unknown; args?: unknown };
  const args_ = ourInput(String(tool), input, args);
  return typeof args_ === "string" ? args_ : { action: "modify", args: args_ };
}

/** UserPromptSubmit: plain text and `additionalContext` are context; blocking is not supported. */
function readPrompt(run: FinishedRun): ParsedRun {
  const { entry, firing, result } = run;
  const { answer, text, problem } = readOutput(result.stdout);
  const remarks = remarksOf(run, answer);
  const blocks = result.exit_code === EXIT_BLOCK || answer["decision"] === "block" || answer["continue"] === false;
  if (blocks) {
    const why = [answer["reason"], answer["stopReason"], firstCharacters(result.stderr), noticeIn(answer)]
      .map(textOf)
      .find((reason) => reason !== undefined);
    const attempted = `it wants to block the message, which ${firing.event} cannot${why === undefined ? "" : `: ${why}`}`;
    return reading(run, { ...remarks, failure: scriptFailure(entry, firing.event, attempted) });
  }
  const broken = problem === undefined ? undefined : scriptFailure(entry, firing.event, problem);
  const strange = unknownVerb(answer, ["allow"]);
  const failure =
    failureOfExit(entry, firing.event, result) ??
    broken ??
    (strange === undefined ? undefined : invalidAnswer(run, strange));
  // The output of a failed script is about its failure, not for the model.
  const context = textOf(specificOf(answer)["additionalContext"]) ?? (failure === undefined ? text : undefined);
  return reading(run, { ...remarks, failure, answer: context === undefined ? null : { context } });
}

/** The others only observe: an attempt to decide is reported once, as a warning. */
function readObserver(run: FinishedRun): ParsedRun {
  const { entry, firing, result } = run;
  const { answer, text, problem } = readOutput(result.stdout);
  const event = claudeEvent(firing.event);
  const blocked = result.exit_code === EXIT_BLOCK;
  const broken = problem === undefined ? undefined : scriptFailure(entry, firing.event, problem);
  const failure = blocked ? undefined : (failureOfExit(entry, firing.event, result) ?? broken);
  const decides = blocked || answer["decision"] === "block" || answer["continue"] === false;
  const adds =
    textOf(specificOf(answer)["additionalContext"]) !== undefined ||
    (event?.textIsContext && failure === undefined && text !== undefined);
  const replaced = replacementIn(answer, run);
  const unsupported = [
    replaced.problem ?? [],
    decides ? `it wants to block, and ${firing.event} (${event?.name}) only observes here` : [],
    adds ? `it wants to add context, which ${firing.event} cannot; a hook of pre_llm_call can` : [],
  ].flat();
  const joined = unsupported.length === 0 ? undefined : unsupported.join("; ");
  const { replacement } = replaced;
  return reading(run, { ...remarksOf(run, answer), failure, unsupported: joined, replacement });
}

interface Replaced {
  readonly replacement?: string | undefined;
  /** Why the replacement does not count, as a clause. */
  readonly problem?: string;
}

/** `updatedToolOutput`, or the older key for MCP tools alone. What is no string goes to the model as JSON. */
function replacementIn(answer: Answer, { entry, firing }: FinishedRun): Replaced {
  const { updatedToolOutput, updatedMCPToolOutput } = specificOf(answer);
  const output = updatedToolOutput ?? updatedMCPToolOutput ?? undefined;
  if (output === undefined) return {};
  if (claudeEvent(firing.event)?.replacesAt === undefined) {
    return { problem: `it wants to replace a tool's output, which ${firing.event} cannot; PostToolUse can` };
  }
  if (entry.background) return { problem: 'with "async: true" its "updatedToolOutput" comes too late' };
  const tool = String((firing.payload as { tool_name?: unknown }).tool_name);
  if (!isGiven(updatedToolOutput) && !tool.startsWith("mcp_")) {
    return { problem: `"updatedMCPToolOutput" is for MCP tools; use "updatedToolOutput" for ${tool}` };
  }
  return { replacement: typeof output === "string" ? output : JSON.stringify(output) };
}

type Remarks = Pick<HookReply, "note" | "notice">;

/** What a run says without deciding anything: `systemMessage`, and plain text of a script that succeeded. */
function remarksOf({ result }: FinishedRun, answer: Answer, text?: string): Remarks {
  const notice = noticeIn(answer);
  const note = text === undefined || result.exit_code !== 0 ? undefined : excerpt(text, LONGEST_NOTE);
  return { ...(notice === undefined ? {} : { notice }), ...(note === undefined ? {} : { note }) };
}

interface Parts extends Remarks {
  readonly failure?: unknown;
  readonly answer?: Answer | null;
  readonly unsupported?: string | undefined;
  readonly replacement?: string | undefined;
}

function reading({ result }: FinishedRun, parts: Parts): ParsedRun {
  const { failure, answer = null, unsupported, replacement, ...remarks } = parts;
  return {
    reply: {
      dialect: "shell",
      exit_code: result.exit_code,
      answer,
      ...remarks,
      ...(failure === undefined ? {} : { failure }),
    },
    ...(unsupported === undefined ? {} : { unsupported }),
    ...(replacement === undefined ? {} : { replacement }),
  };
}
