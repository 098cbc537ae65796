/** What a script's answer decides in words that Claude Code does not have: told apart from deciding nothing. */
import { isMapping } from "#core/mapping";
import { truncate } from "#core/truncate";
import { specificOf, type Answer } from "./claude-output.ts";

/** Keys of any answer, wherever Claude Code reads them. */
const TOP = new Set(["continue", "stopReason", "suppressOutput", "systemMessage", "decision", "reason"]);
const SPECIFIC = new Set([
  "hookEventName",
  "permissionDecision",
  "permissionDecisionReason",
  "updatedInput",
  "additionalContext",
]);
/** The older decisions that let the event go on, as scripts write them. */
const AGREEING = new Set<unknown>(["approve", "allow", ""]);
const BLOCK_HINT = 'Claude Code has {"decision": "block", "reason": "…"}';

/** Keys that mean a decision elsewhere: they are reported even beside a decision that is known. */
const MISTAKEN: ReadonlyMap<string, string> = new Map([
  ...["permissionDecision", "permissionDecisionReason", "updatedInput", "additionalContext"].map(
    (key): [string, string] => [key, 'it belongs in "hookSpecificOutput"'],
  ),
  ["permission", 'that is Cursor\'s; Claude Code has "permissionDecision" in "hookSpecificOutput"'],
  ...["block", "blocked", "deny", "denied", "allow", "allowed", "approve", "approved"].map((key): [string, string] => [
    key,
    BLOCK_HINT,
  ]),
]);

/**
 * The part of an answer that cannot be honoured, as a clause for an error; undefined when all of it can be.
 * `permissions` are the values of `permissionDecision` that mean something at this event.
 */
export function unknownVerb(answer: Answer, permissions: readonly string[]): string | undefined {
  const { decision, continue: goesOn, hookSpecificOutput: specific } = answer;
  const permission = specificOf(answer)["permissionDecision"];
  const mistaken = Object.keys(answer).find((key) => MISTAKEN.has(key));
  if (mistaken !== undefined) return `unknown verb ${quote(mistaken)}: ${MISTAKEN.get(mistaken)}`;
  if (isGiven(decision) && !AGREEING.has(decision)) return `unknown verb ${quote(decision)}: ${BLOCK_HINT}`;
  if (isGiven(permission) && !permissions.includes(permission as string)) return `unknown verb ${quote(permission)}`;
  if (isGiven(goesOn) && typeof goesOn !== "boolean") return '"continue" must be true or false';
  if (isGiven(specific) && !isMapping(specific)) return '"hookSpecificOutput" must be an object';
  return strangeKey(answer, isGiven(decision));
}

/** A key without a meaning, unless the answer decides something besides. */
function strangeKey(answer: Answer, decides: boolean): string | undefined {
  const specific = specificOf(answer);
  const inner = Object.keys(specific).find((key) => !SPECIFIC.has(key));
  if (inner !== undefined && !isGiven(specific["permissionDecision"])) {
    return `unknown verb ${quote(`hookSpecificOutput.${inner}`)}`;
  }
  const outer = Object.keys(answer).find((key) => key !== "hookSpecificOutput" && !TOP.has(key));
  if (outer === undefined || decides || Object.keys(specific).length > 0) return undefined;
  return `unknown verb ${quote(outer)}: Claude Code has no such key`;
}

/** True for anything but undefined and null. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function quote(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(truncate(value, 40)) : `of type ${typeof value}`;
}
