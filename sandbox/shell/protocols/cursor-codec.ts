/** The input and the answers of scripts written for Cursor. */
import { claudeVerbs } from "./claude-verbs.ts";
import { CURSOR_IDE } from "./cursor.ts";
import type { Verbs } from "./spoken.ts";
import { createProgramCodec } from "./program-codec.ts";
import { transcriptPath } from "./program-events.ts";
import { firstText, isGiven, noticeIn } from "./program-output.ts";
import type { EventFields } from "./program.ts";
import { unknownVerb, type Grammar } from "./unknown-verbs.ts";

const GRAMMAR: Grammar = {
  owner: "Cursor",
  top: new Set([
    "permission",
    "continue",
    "user_message",
    "agent_message",
    "userMessage",
    "agentMessage",
    "updated_input",
    "additional_context",
    "updated_mcp_tool_output",
    "env",
    "followup_message",
  ]),
  specific: new Set(),
  agreeing: new Set([""]),
  blockHint: 'Cursor has {"permission": "deny", "user_message": "…"}',
  permissionKey: { key: "permission", at: "top" },
};

/** Cursor runs hooks of Claude Code, too, and reads their answers. */
const asClaude = claudeVerbs("Cursor");

const verbs: Verbs = (answer, row, kind) => {
  if (isGiven(answer["hookSpecificOutput"]) || isGiven(answer["decision"])) return asClaude(answer, row, kind);
  const notice = noticeIn(answer, "user_message", "userMessage");
  const message = firstText(answer["agent_message"], answer["agentMessage"], notice) ?? "";
  const { permission, updated_input: input, updated_mcp_tool_output: output } = answer;
  return {
    denial: permission === "deny" ? { message } : undefined,
    stop: answer["continue"] === false ? { message } : undefined,
    question: permission === "ask" ? { message: notice ?? message } : undefined,
    input: isGiven(input) ? { key: "updated_input", value: input } : undefined,
    context: firstText(answer["additional_context"]),
    replacement: isGiven(output)
      ? { key: "updated_mcp_tool_output", value: output, mcpOnly: { instead: null } }
      : undefined,
    notice,
    lost: lostOf(answer),
    strange: unknownVerb(answer, GRAMMAR, ["allow", "ask"]),
  };
};

function lostOf({ env, followup_message: followUp }: EventFields): string | undefined {
  if (firstText(followUp) !== undefined) return 'it wants the agent to go on ("followup_message")';
  return isGiven(env) ? 'it wants to set variables ("env"); a hook with protocol: claude can' : undefined;
}

export const CURSOR_WIRE = createProgramCodec({
  program: CURSOR_IDE,
  shared: ({ firing, place, row, session }) => ({
    conversation_id: session,
    generation_id: (firing.payload as EventFields)["task_id"] ?? session,
    model: (firing.payload as EventFields)["model"] ?? "",
    hook_event_name: row.name,
    cursor_version: "",
    workspace_roots: [place.cwd],
    user_email: null,
    transcript_path: transcriptPath(session, place),
  }),
  variables: ({ place, session }) => ({ CURSOR_TRANSCRIPT_PATH: transcriptPath(session, place) }),
  verbs,
});
