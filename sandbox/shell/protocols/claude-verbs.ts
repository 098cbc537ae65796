/** The words of Claude Code's answers, which other programs understand, too. */
import type { Verbs } from "./spoken.ts";
import { firstText, isGiven, noticeIn, specificOf, type Answer } from "./program-output.ts";
import { COMMON_KEYS, unknownVerb, type Grammar } from "./unknown-verbs.ts";

function grammarOf(owner: string): Grammar {
  return {
    owner,
    top: COMMON_KEYS,
    specific: new Set([
      "hookEventName",
      "permissionDecision",
      "permissionDecisionReason",
      "updatedInput",
      "additionalContext",
    ]),
    agreeing: new Set(["approve", "allow", ""]),
    blockHint: `${owner} has {"decision": "block", "reason": "…"}`,
    permissionKey: { key: "permissionDecision", at: "specific" },
  };
}

/** PreToolUse: `permissionDecision`, `updatedInput`, `continue`, and the older `decision`; the others as far as they go. */
export function claudeVerbs(owner: string): Verbs {
  const grammar = grammarOf(owner);
  return (answer, _row, kind) => {
    const specific = specificOf(answer);
    const { permissionDecision, permissionDecisionReason: reason, updatedInput } = specific;
    const notice = noticeIn(answer, "systemMessage");
    const asks = permissionDecision === "ask";
    return {
      denial: denial(answer, notice),
      stop:
        answer["continue"] === false
          ? { message: firstText(answer["stopReason"], answer["reason"], notice) ?? "" }
          : undefined,
      question: asks ? { message: firstText(reason, notice) ?? "" } : undefined,
      input: isGiven(updatedInput) ? { key: "updatedInput", value: updatedInput } : undefined,
      context: firstText(specific["additionalContext"]),
      replacement: replacement(specific),
      notice,
      strange: unknownVerb(answer, grammar, kind === "gate" ? ["allow", "ask"] : ["allow"]),
    };
  };
}

/** `defer` leaves the decision to others, of whom there are none here. */
function denial(answer: Answer, notice: string | undefined): { readonly message: string } | undefined {
  const { permissionDecision, permissionDecisionReason } = specificOf(answer);
  const blocks = answer["decision"] === "block" || answer["action"] === "block";
  const denies = permissionDecision === "deny" || permissionDecision === "defer";
  if (!blocks && !denies) return undefined;
  const reasons = [denies ? permissionDecisionReason : undefined, answer["reason"], answer["message"], notice];
  return { message: firstText(...reasons) ?? "" };
}

/** `updatedToolOutput`, or the older key for MCP tools alone. */
function replacement({ updatedToolOutput, updatedMCPToolOutput }: Answer) {
  if (isGiven(updatedToolOutput)) return { key: "updatedToolOutput", value: updatedToolOutput };
  if (!isGiven(updatedMCPToolOutput)) return undefined;
  return { key: "updatedMCPToolOutput", value: updatedMCPToolOutput, mcpOnly: { instead: "updatedToolOutput" } };
}
