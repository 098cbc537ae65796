/** The input and the answers of scripts written for Gemini CLI. */
import { GEMINI_CLI } from "./gemini.ts";
import type { Verbs } from "./spoken.ts";
import { createProgramCodec } from "./program-codec.ts";
import { transcriptPath } from "./program-events.ts";
import { firstText, isGiven, noticeIn, specificOf } from "./program-output.ts";
import { COMMON_KEYS, unknownVerb, type Grammar } from "./unknown-verbs.ts";

const GRAMMAR: Grammar = {
  owner: "Gemini CLI",
  top: COMMON_KEYS,
  specific: new Set(["hookEventName", "tool_input", "tool_output", "additionalContext", "clearContext"]),
  agreeing: new Set(["approve", "allow", "ask", ""]),
  blockHint: 'Gemini CLI has {"decision": "deny", "reason": "…"}',
};

const verbs: Verbs = (answer) => {
  const specific = specificOf(answer);
  const { decision } = answer;
  const notice = noticeIn(answer, "systemMessage");
  const message = firstText(answer["reason"], notice) ?? "";
  return {
    denial: decision === "deny" || decision === "block" ? { message } : undefined,
    stop:
      answer["continue"] === false
        ? { message: firstText(answer["stopReason"], answer["reason"], notice) ?? "" }
        : undefined,
    question: decision === "ask" ? { message } : undefined,
    input: isGiven(specific["tool_input"]) ? { key: "tool_input", value: specific["tool_input"] } : undefined,
    context: firstText(specific["additionalContext"]),
    replacement: isGiven(specific["tool_output"]) ? { key: "tool_output", value: specific["tool_output"] } : undefined,
    notice,
    lost: specific["clearContext"] === true ? 'it wants to clear the conversation ("clearContext")' : undefined,
    strange: unknownVerb(answer, GRAMMAR, []),
  };
};

export const GEMINI_WIRE = createProgramCodec({
  program: GEMINI_CLI,
  shared: ({ place, row, session }) => ({
    session_id: session,
    transcript_path: transcriptPath(session, place),
    cwd: place.cwd,
    hook_event_name: row.name,
    timestamp: new Date().toISOString(),
  }),
  variables: ({ place, session }) => ({ GEMINI_CWD: place.cwd, GEMINI_SESSION_ID: session }),
  verbs,
});
