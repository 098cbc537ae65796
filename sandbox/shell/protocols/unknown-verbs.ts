/** What a script's answer decides in words that its program does not have: told apart from deciding nothing. */
import { isMapping } from "#core/mapping";
import { isGiven, quoteValue, specificOf, type Answer } from "./program-output.ts";

/** The words of a program's answers. */
export interface Grammar {
  readonly owner: string;
  /** Keys of any answer. */
  readonly top: ReadonlySet<string>;
  /** Keys of `hookSpecificOutput`. */
  readonly specific: ReadonlySet<string>;
  /** Older decisions that let the event go on, as scripts write them. */
  readonly agreeing: ReadonlySet<unknown>;
  /** How the program blocks. */
  readonly blockHint: string;
  /** The key of its newer decisions, and where it is. */
  readonly permissionKey?: { readonly key: string; readonly at: "top" | "specific" };
}

/** The keys of answers in several programs. */
export const COMMON_KEYS: ReadonlySet<string> = new Set([
  "continue",
  "stopReason",
  "suppressOutput",
  "systemMessage",
  "decision",
  "reason",
  "hookSpecificOutput",
]);

/** Keys that mean a decision somewhere: they are reported even beside a decision that is known. */
const DECIDING = new Set([
  "permission",
  "permissionDecision",
  "block",
  "blocked",
  "deny",
  "denied",
  "allow",
  "allowed",
  "approve",
  "approved",
]);

/**
 * The part of an answer that cannot be honoured, as a clause for an error; undefined when all of it can be.
 * `permissions` are the values of the permission key that mean something at this event.
 */
export function unknownVerb(answer: Answer, grammar: Grammar, permissions: readonly string[]): string | undefined {
  const { decision, continue: goesOn, hookSpecificOutput: specific } = answer;
  const { agreeing, blockHint, top } = grammar;
  const permission = permissionIn(answer, grammar);
  const mistaken = Object.keys(answer)
    .map((key) => [key, mistakeOf(key, grammar)] as const)
    .find(([, problem]) => problem !== undefined);
  if (mistaken !== undefined) return `unknown verb ${quoteValue(mistaken[0])}: ${mistaken[1]}`;
  if (isGiven(decision) && !agreeing.has(decision)) return `unknown verb ${quoteValue(decision)}: ${blockHint}`;
  if (isGiven(permission) && !permissions.includes(permission as string))
    return `unknown verb ${quoteValue(permission)}`;
  if (top.has("continue") && isGiven(goesOn) && typeof goesOn !== "boolean") return '"continue" must be true or false';
  if (isGiven(specific) && !isMapping(specific)) return '"hookSpecificOutput" must be an object';
  return strangeKey(answer, grammar, isGiven(decision) || isGiven(permission));
}

/** The value of the program's newer decision. */
function permissionIn(answer: Answer, { permissionKey }: Grammar): unknown {
  if (permissionKey === undefined) return undefined;
  return (permissionKey.at === "top" ? answer : specificOf(answer))[permissionKey.key];
}

function mistakeOf(key: string, { owner, top, specific, blockHint, permissionKey }: Grammar): string | undefined {
  if (top.has(key)) return undefined;
  if (specific.has(key) && key !== "hookEventName") return 'it belongs in "hookSpecificOutput"';
  if (key === "permission" && permissionKey?.at === "specific") {
    return `that is Cursor's; ${owner} has "${permissionKey.key}" in "hookSpecificOutput"`;
  }
  return DECIDING.has(key) ? blockHint : undefined;
}

/** A key without a meaning, unless the answer decides something besides. */
function strangeKey(answer: Answer, grammar: Grammar, decides: boolean): string | undefined {
  const specific = specificOf(answer);
  const inner = Object.keys(specific).find((key) => !grammar.specific.has(key));
  if (inner !== undefined && !isGiven(permissionIn(answer, grammar))) {
    return `unknown verb ${quoteValue(`hookSpecificOutput.${inner}`)}`;
  }
  const outer = Object.keys(answer).find((key) => key !== "hookSpecificOutput" && !grammar.top.has(key));
  if (outer === undefined || decides || Object.keys(specific).length > 0) return undefined;
  return `unknown verb ${quoteValue(outer)}: ${grammar.owner} has no such key`;
}
