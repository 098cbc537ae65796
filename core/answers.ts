/**
 * What hooks may answer, and the one place that validates answers (CONTRACT §4 and §6).
 * A raw answer in the dialect of a plugin or of a script goes in, a {@link Decision} comes out.
 */
import type { GateVerb } from "./event-declaration.ts";
import { declarationOf, type EventName, type EventsOfKind, type VerbOf } from "./events.ts";
import { frozenCopy } from "./firing.ts";
import { isMapping } from "#core/mapping";
import type { AskChoice, AskReason } from "./ports/question.ts";
import { truncate } from "./truncate.ts";

type Nothing = void | undefined | null | Readonly<Record<string, never>>;

/** Stops the tool call. */
export interface BlockAnswer {
  readonly action: "block";
  /** What the model gets as the call's error. */
  readonly message: string;
}
/** Changes the arguments of the tool call. */
export interface ModifyAnswer {
  readonly action: "modify";
  /** Merged into the arguments of the call. */
  readonly args: Readonly<Record<string, unknown>>;
}
/** Lets the user decide whether the tool call runs. */
export interface AskAnswer {
  readonly action: "ask";
  /** Why the user should decide; shown with the call. */
  readonly message: string;
  /** Merged into the arguments of the call, as with `modify`, before the user sees them. */
  readonly args?: Readonly<Record<string, unknown>>;
  /** Further answers on a terminal, in addition to yes, no, and yes for the rest of the session. */
  readonly choices?: readonly AskChoice[];
}
/** Drops the message. */
export interface SkipAnswer {
  readonly action: "skip";
  /** For the log. */
  readonly reason?: string;
}
/** Replaces the text of the message. */
export interface RewriteAnswer {
  readonly action: "rewrite";
  /** The new text. */
  readonly text: string;
}
/** Accepts the message without asking further hooks. */
export interface AllowAnswer {
  readonly action: "allow";
}
/** Adds text to this turn's user message; it is never stored. */
export interface ContextAnswer {
  /** The text; those of all hooks are joined. */
  readonly context: string;
}

/** A plugin's answers to a gate, by verb. */
interface VerbAnswers {
  readonly block: BlockAnswer;
  readonly ask: AskAnswer;
  readonly modify: ModifyAnswer;
  readonly skip: SkipAnswer;
  readonly rewrite: RewriteAnswer;
  readonly allow: AllowAnswer;
}

/** What a plugin's callback may answer to each event. Observers may return anything; it is ignored. */
export type Answer<Name extends EventName> =
  Name extends EventsOfKind<"gate">
    ? Nothing | VerbAnswers[VerbOf<Name>]
    : Name extends EventsOfKind<"context">
      ? Nothing | ContextAnswer | string
      : Name extends EventsOfKind<"transform">
        ? Nothing | string
        : unknown;

export type Decision =
  | { readonly kind: "pass" }
  | { readonly kind: "allow" }
  | { readonly kind: "block"; readonly message: string }
  | { readonly kind: "modify"; readonly args: Readonly<Record<string, unknown>> }
  | AskDecision
  | { readonly kind: "context"; readonly text: string }
  | { readonly kind: "transform"; readonly text: string }
  | { readonly kind: "skip"; readonly reason: string }
  | { readonly kind: "rewrite"; readonly text: string };

/** The user decides whether the call runs, with these arguments if there are any. */
export interface AskDecision {
  readonly kind: "ask";
  /** One for each hook that asks. */
  readonly reasons: readonly AskReason[];
  readonly args?: Readonly<Record<string, unknown>>;
}

export interface Invalid {
  readonly kind: "invalid";
  readonly problem: string;
}

export type Dialect = "plugin" | "shell";

export const PASS: Decision = Object.freeze({ kind: "pass" });
const ALLOW: Decision = Object.freeze({ kind: "allow" });

/** The message of a shell hook's block that gives no reason. */
const SHELL_BLOCK_MESSAGE = "Blocked by shell hook.";

/** Validates a hook's raw answer to an event. Never throws. */
export function judge(name: EventName, answer: unknown, dialect: Dialect): Decision | Invalid {
  if (answer === undefined || answer === null) return PASS;
  const { kind } = declarationOf(name);
  if (kind === "observe") return PASS;
  try {
    if (kind === "context") return judgeContext(answer, dialect);
    if (kind === "transform") return judgeTransform(name, answer, dialect);
    return judgeGate(name, answer, dialect);
  } catch (error) {
    // A getter or proxy in the answer threw.
    return invalid(`reading it failed (${error instanceof Error ? error.message : "unknown error"})`);
  }
}

function judgeGate(name: EventName, answer: unknown, dialect: Dialect): Decision | Invalid {
  if (!isMapping(answer)) return invalid(`expected an object with "action", got ${describe(answer)}`);
  const verbs = [dialect === "shell" ? answer["decision"] : null, answer["action"]].filter(isPresent);
  if (verbs.length === 0) return judgeWithoutVerb(answer, dialect);
  // A script may use both dialects at once: the stricter verb wins, and an unknown verb makes the answer invalid.
  const known = declarationOf(name).verbs ?? [];
  const [strongest] = known;
  const strange = verbs.find((verb) => !known.includes(verb as GateVerb));
  const holds =
    strange !== undefined && !verbs.includes(strongest) ? undefined : known.find((verb) => verbs.includes(verb));
  return holds === undefined ? invalid(`unknown verb ${describe(strange)}`) : READERS[holds](answer, dialect);
}

/** A decision in the words of a plugin's answer; null for none. */
export function answerOf(decision: Decision): Readonly<Record<string, unknown>> | null {
  switch (decision.kind) {
    case "pass":
      return null;
    case "context":
      return { context: decision.text };
    case "transform":
      return { text: decision.text };
    case "ask": {
      const { reasons, args } = decision;
      const message = reasons.map((reason) => reason.message).join("\n");
      return { action: "ask", message, ...(args === undefined ? {} : { args }) };
    }
    case "allow":
    case "block":
    case "modify":
    case "skip":
    case "rewrite": {
      const { kind: action, ...rest } = decision;
      return { action, ...rest };
    }
  }
}

/** Reads the rest of an answer by its verb. */
const READERS: Readonly<Record<GateVerb, (answer: Record<string, unknown>, dialect: Dialect) => Decision | Invalid>> = {
  block,
  ask,
  modify,
  skip: (answer) => ({ kind: "skip", reason: text(answer["reason"]) ?? "" }),
  rewrite,
  allow: () => ALLOW,
};

/** An object without a verb says something that would be lost, unless it is empty (CONTRACT §6). */
function judgeWithoutVerb(answer: Record<string, unknown>, dialect: Dialect): Decision | Invalid {
  const keys = Object.keys(answer);
  if (keys.length === 0) return PASS;
  const verb = dialect === "shell" ? '"decision" or "action"' : '"action"';
  const [owner, protocol] = keys.includes("permission") ? ["Cursor", "cursor"] : ["Claude Code", "claude"];
  const hint = keys.some((key) => CLAUDE_KEYS.has(key) || key === "permission")
    ? `; it looks like an answer of ${owner}: add protocol: ${protocol} to the entry`
    : "";
  return invalid(`an object without ${verb} (it has ${keys.slice(0, 3).join(", ")})${hint}`);
}

/** Keys of answers that scripts for Claude Code give. */
const CLAUDE_KEYS = new Set(["hookSpecificOutput", "permissionDecision", "continue", "stopReason", "systemMessage"]);

function block(answer: Record<string, unknown>, dialect: Dialect): Decision {
  const message =
    dialect === "shell"
      ? (text(answer["reason"]) ?? text(answer["message"]) ?? SHELL_BLOCK_MESSAGE)
      : (text(answer["message"]) ?? "Blocked by a plugin.");
  return { kind: "block", message };
}

function rewrite(answer: Record<string, unknown>): Decision | Invalid {
  const replacement = text(answer["text"]);
  return replacement === undefined
    ? invalid('"rewrite" needs a string "text"')
    : { kind: "rewrite", text: replacement };
}

function modify(answer: Record<string, unknown>, dialect: Dialect): Decision | Invalid {
  const args = dialect === "shell" ? (answer["tool_input"] ?? answer["args"]) : answer["args"];
  if (!isMapping(args)) return invalid('"modify" needs the changed arguments as an object');
  // Copied here, so that data that cannot be copied (too deep, a cycle) makes the answer invalid.
  return { kind: "modify", args: frozenCopy(args) };
}

function ask(answer: Record<string, unknown>, dialect: Dialect): Decision | Invalid {
  const message =
    (dialect === "shell" ? (text(answer["reason"]) ?? text(answer["message"])) : text(answer["message"])) ?? "";
  const args = dialect === "shell" ? (answer["tool_input"] ?? answer["args"]) : answer["args"];
  if (isPresent(args) && !isMapping(args)) return invalid('the "args" of "ask" must be an object');
  // A script has ended when the user answers, so it could not be told.
  const choices = dialect === "shell" ? [] : readChoices(answer["choices"]);
  if (choices === undefined) {
    return invalid('the "choices" of "ask" need a "key" (one lowercase letter but y, a and n) and a "label" each');
  }
  const reasons = [{ message, choices }];
  return { kind: "ask", reasons, ...(isMapping(args) ? { args: frozenCopy(args) } : {}) };
}

/** The letters of y, a and n are taken. */
const CHOICE_KEY = /^[b-mo-xz]$/;

function readChoices(given: unknown): readonly AskChoice[] | undefined {
  if (!isPresent(given)) return [];
  if (!Array.isArray(given)) return undefined;
  const choices = given.map((choice: unknown): AskChoice | undefined => {
    if (!isMapping(choice)) return undefined;
    const { key, on_chosen } = choice;
    const label = text(choice["label"]);
    if (typeof key !== "string" || !CHOICE_KEY.test(key) || label === undefined) return undefined;
    if (isPresent(on_chosen) && typeof on_chosen !== "function") return undefined;
    return { key, label, ...(isPresent(on_chosen) ? { on_chosen: on_chosen as () => unknown } : {}) };
  });
  return choices.some((choice) => choice === undefined) ? undefined : (choices as AskChoice[]);
}

function judgeContext(answer: unknown, dialect: Dialect): Decision | Invalid {
  if (typeof answer === "string" && dialect === "plugin")
    return answer.trim() === "" ? PASS : { kind: "context", text: answer };
  if (!isMapping(answer)) return invalid(`expected {"context": "…"}, got ${describe(answer)}`);
  const context = answer["context"];
  if (context === undefined || context === null || context === "") return judgeForeign(answer, "context", dialect);
  if (typeof context !== "string") return invalid('"context" must be a string');
  return context.trim() === "" ? PASS : { kind: "context", text: context };
}

function judgeTransform(name: EventName, answer: unknown, dialect: Dialect): Decision | Invalid {
  const replacement = dialect === "shell" && isMapping(answer) ? answer["text"] : answer;
  if (typeof replacement === "string") {
    return replacement === "" && declarationOf(name).ignoresEmpty ? PASS : { kind: "transform", text: replacement };
  }
  if (dialect === "shell" && isMapping(answer) && (replacement === undefined || replacement === null)) return PASS;
  if (isMapping(answer) && Object.keys(answer).length === 0) return PASS;
  return invalid(`expected a string, got ${describe(replacement)}`);
}

function judgeForeign(answer: Record<string, unknown>, key: string, dialect: Dialect): Decision | Invalid {
  if (dialect === "shell" || Object.keys(answer).length === 0 || key in answer) return PASS;
  return invalid(`an object without "${key}"`);
}

function isPresent(verb: unknown): boolean {
  return verb !== undefined && verb !== null;
}

function invalid(problem: string): Invalid {
  return { kind: "invalid", problem };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(truncate(value, 40));
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" || typeof value === "function")
    return typeof value === "object" ? "an object" : "a function";
  return typeof value === "symbol" ? "a symbol" : `${value as number | boolean}`;
}
