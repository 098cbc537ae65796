/** What came of a firing as a whole, for records of firings and for comparing two of them. */
import { createHash } from "node:crypto";
import type { Decision } from "./answers.ts";
import type { HookOutcome } from "./ports/hook.ts";
import type { RecordedRun } from "./ports/recordings.ts";

type Run = Pick<RecordedRun, "name" | "outcome" | "background">;

/**
 * What the hooks decided together; if nothing, how the first of them failed that did. Hooks in the background do not
 * count, because the firing does not wait for them.
 */
export function firingOutcome(decision: Decision, runs: readonly Run[]): HookOutcome {
  if (decision.kind !== "pass" && decision.kind !== "allow") return decision.kind;
  return runs.find(({ outcome, background }) => !background && isFailure(outcome))?.outcome ?? "pass";
}

/** What came of the runs of the hooks with one name: the first outcome that is not `pass`. */
export function outcomeOfHook(name: string, runs: readonly Run[]): HookOutcome {
  return runs.find((run) => run.name === name && run.outcome !== "pass")?.outcome ?? "pass";
}

/** The run that a firing's outcome comes from: the last one that decided so, or the first that failed so. */
export function decidingRun<One extends Run>(outcome: HookOutcome, runs: readonly One[]): One | undefined {
  if (outcome === "pass") return undefined;
  const counted = runs.filter((run) => !run.background && run.outcome === outcome);
  return isFailure(outcome) ? counted[0] : counted.at(-1);
}

/** What a decision says besides its kind, as text; null where nothing that matters to the agent can differ. */
export function decisionContent(decision: Decision): string | null {
  switch (decision.kind) {
    case "modify":
    case "ask":
      return decision.args === undefined ? null : JSON.stringify(decision.args, sortedKeys);
    case "context":
    case "transform":
    case "rewrite":
      return decision.text;
    default:
      return null;
  }
}

/** Equal for equal contents of decisions. */
export function fingerprintOf(content: string): string {
  return createHash("sha256").update(content).digest("base64url");
}

function isFailure(outcome: HookOutcome): boolean {
  return outcome === "error" || outcome === "timeout";
}

/** Objects with their keys in one order, so that equal ones have equal texts. */
function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
