/** The input and the answers of scripts written for GitHub Copilot CLI. */
import { claudeVerbs } from "./claude-verbs.ts";
import { COPILOT_CLI } from "./copilot.ts";
import type { Verbs } from "./spoken.ts";
import { createProgramCodec } from "./program-codec.ts";
import { firstText, isGiven, noticeIn } from "./program-output.ts";
import { unknownVerb, type Grammar } from "./unknown-verbs.ts";

const GRAMMAR: Grammar = {
  owner: "GitHub Copilot CLI",
  top: new Set([
    "permissionDecision",
    "permissionDecisionReason",
    "modifiedArgs",
    "additionalContext",
    "suppressOutput",
    "systemMessage",
    "continue",
    "stopReason",
    "decision",
    "reason",
  ]),
  specific: new Set(),
  agreeing: new Set(["allow", ""]),
  blockHint: 'GitHub Copilot CLI has {"permissionDecision": "deny", "permissionDecisionReason": "…"}',
  permissionKey: { key: "permissionDecision", at: "top" },
};

/** Its hooks for VS Code answer as those of Claude Code. */
const asClaude = claudeVerbs("GitHub Copilot CLI");

const verbs: Verbs = (answer, row, kind) => {
  if (isGiven(answer["hookSpecificOutput"])) return asClaude(answer, row, kind);
  const { permissionDecision, permissionDecisionReason, modifiedArgs, decision } = answer;
  const notice = noticeIn(answer, "systemMessage");
  const message = firstText(permissionDecisionReason, answer["reason"], notice) ?? "";
  const denies = permissionDecision === "deny" || decision === "block";
  return {
    denial: denies ? { message } : undefined,
    stop: answer["continue"] === false ? { message: firstText(answer["stopReason"], message) ?? "" } : undefined,
    question: permissionDecision === "ask" ? { message } : undefined,
    input: isGiven(modifiedArgs) ? { key: "modifiedArgs", value: modifiedArgs } : undefined,
    context: firstText(answer["additionalContext"]),
    notice,
    strange: unknownVerb(answer, GRAMMAR, ["allow", "ask"]),
  };
};

export const COPILOT_WIRE = createProgramCodec({
  program: COPILOT_CLI,
  /** Events with a capital letter have the fields of VS Code. */
  shared: ({ place, row, session }) =>
    /^[A-Z]/.test(row.name)
      ? { hook_event_name: row.name, session_id: session, timestamp: new Date().toISOString(), cwd: place.cwd }
      : { sessionId: session, timestamp: Date.now(), cwd: place.cwd },
  verbs,
});
