/** Translates the answers of scripts written for Claude Code into those of `core/answers.ts`. */
import type { EventKind } from "#core/event-declaration";
import { declarationOf } from "#core/events";
import { isMapping } from "#core/mapping";
import {
  EXIT_BLOCK,
  failureOfEnd,
  failureOfExit,
  scriptFailure,
  firstCharacters,
  textOf,
} from "#sandbox/shell/outcome";
import { parseOutput } from "#sandbox/shell/output";
import type { FinishedRun, ParsedRun } from "#sandbox/shell/codec";
import { claudeEvent } from "./claude-events.ts";
import { ourInput } from "./claude-tools.ts";

type Answer = Readonly<Record<string, unknown>>;

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
  const output = parseOutput(result.stdout);
  const answer = "answer" in output ? (output.answer ?? {}) : {};
  if (result.exit_code === EXIT_BLOCK) {
    const message = textOf(firstCharacters(result.stderr)) ?? denial(answer)?.message ?? "";
    return reading(run, { answer: { action: "block", message } });
  }
  const failure =
    failureOfExit(entry, firing.event, result) ??
    ("problem" in output ? scriptFailure(entry, firing.event, output.problem) : undefined);
  const denied = denial(answer);
  if (denied !== undefined) return reading(run, { failure, answer: { action: "block", message: denied.message } });

  const specific = specificOf(answer);
  const unsupported =
    textOf(specific["additionalContext"]) === undefined ? undefined : "it cannot add context to a tool call";
  const decision = specific["permissionDecision"];
  const strange = strangeVerb(answer["decision"], ["approve"]) ?? strangeVerb(decision, ["allow", "ask"]);
  if (strange !== undefined) return reading(run, { failure, answer: { decision: strange }, unsupported });
  const changed = updatedInput(specific["updatedInput"], run);
  if (typeof changed === "string") {
    return reading(run, { failure: failure ?? scriptFailure(entry, firing.event, changed), unsupported });
  }
  const reason = textOf(specific["permissionDecisionReason"]) ?? "";
  const question = decision === "ask" ? reason : undefined;
  return reading(run, { failure, answer: changed, question, unsupported });
}

/** Whether an answer stops the tool from running, and with which message. `defer` leaves the decision to others. */
function denial(answer: Answer): { readonly message: string } | undefined {
  const specific = specificOf(answer);
  if (answer["continue"] === false) return { message: textOf(answer["stopReason"]) ?? "" };
  if (answer["decision"] === "block" || answer["action"] === "block") {
    return { message: textOf(answer["reason"]) ?? textOf(answer["message"]) ?? "" };
  }
  const decision = specific["permissionDecision"];
  if (decision !== "deny" && decision !== "defer") return undefined;
  return { message: textOf(specific["permissionDecisionReason"]) ?? textOf(answer["reason"]) ?? "" };
}

function strangeVerb(verb: unknown, known: readonly string[]): unknown {
  return verb === undefined || verb === null || known.includes(verb as string) ? undefined : verb;
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
  const { answer, text } = answerOrText(result.stdout);
  const blocks = result.exit_code === EXIT_BLOCK || answer["decision"] === "block" || answer["continue"] === false;
  if (blocks) {
    const why = textOf(answer["reason"]) ?? textOf(answer["stopReason"]) ?? firstCharacters(result.stderr);
    const problem = `it wants to block the message, which ${firing.event} cannot${why === "" ? "" : `: ${why}`}`;
    return reading(run, { failure: scriptFailure(entry, firing.event, problem) });
  }
  const failure = failureOfExit(entry, firing.event, result);
  // The output of a failed script is about its failure, not for the model.
  const parts = [failure === undefined ? text : undefined, textOf(specificOf(answer)["additionalContext"])];
  const context = parts.filter((part) => part !== undefined).join("\n");
  return reading(run, { failure, answer: context === "" ? null : { context } });
}

/** The others only observe: an attempt to decide is reported once, as a warning. */
function readObserver(run: FinishedRun): ParsedRun {
  const { entry, firing, result } = run;
  const { answer, text } = answerOrText(result.stdout);
  const blocked = result.exit_code === EXIT_BLOCK;
  const failure = blocked ? undefined : failureOfExit(entry, firing.event, result);
  const decides = blocked || answer["decision"] === "block" || answer["continue"] === false;
  const event = claudeEvent(firing.event);
  const adds =
    textOf(specificOf(answer)["additionalContext"]) !== undefined ||
    (event?.textIsContext && failure === undefined && text !== undefined);
  const unsupported = [
    decides ? `it wants to block, and ${firing.event} (${event?.name}) only observes here` : [],
    adds ? `it wants to add context, which ${firing.event} cannot; a hook of pre_llm_call can` : [],
  ].flat();
  return reading(run, { failure, unsupported: unsupported.length === 0 ? undefined : unsupported.join("; ") });
}

/** Standard output as Claude Code reads it where plain text is allowed: one JSON object, else text. */
function answerOrText(stdout: string): { readonly answer: Answer; readonly text: string | undefined } {
  const output = parseOutput(stdout);
  if ("answer" in output) return { answer: output.answer ?? {}, text: undefined };
  return { answer: {}, text: textOf(stdout)?.trim() };
}

function specificOf(answer: Answer): Answer {
  const specific = answer["hookSpecificOutput"];
  return isMapping(specific) ? specific : {};
}

interface Parts {
  readonly failure?: unknown;
  readonly answer?: Answer | null;
  readonly question?: string | undefined;
  readonly unsupported?: string | undefined;
}

function reading({ result }: FinishedRun, { failure, answer = null, question, unsupported }: Parts): ParsedRun {
  return {
    reply: { dialect: "shell", exit_code: result.exit_code, answer, ...(failure === undefined ? {} : { failure }) },
    ...(question === undefined ? {} : { question }),
    ...(unsupported === undefined ? {} : { unsupported }),
  };
}
