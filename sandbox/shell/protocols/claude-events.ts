/** THE table of Claude Code's events, which Codex shares. */
import type { ShellContext } from "#sandbox/shell/protocol";
import { errorIn, ofCall, ofFailure, ofUser, parsedResult, transcriptPath } from "./program-events.ts";
import type { EventFields, ProgramEvent } from "./program.ts";
import type { ToolNames } from "./tool-names.ts";

const AGENT_TYPE = "general-purpose";

/** The events of a program that has Claude Code's, with its own names of tools. */
export function claudeEvents(tools: ToolNames): readonly ProgramEvent[] {
  const toolCall: ProgramEvent["fields"] = ({ tool_name: tool, args, tool_call_id: id }, place) => ({
    tool_name: tools.nameOf(String(tool), args, place),
    tool_input: tools.inputOf(String(tool), args, place),
    tool_use_id: id ?? "",
  });
  return [
    { name: "PreToolUse", event: "pre_tool_call", deliversAt: "transform_tool_result", fields: toolCall },
    {
      name: "PostToolUse",
      event: "post_tool_call",
      deliversAt: "transform_tool_result",
      feedback: "append",
      concerns: ofCall,
      fields: (payload, place) => ({ ...toolCall(payload, place), tool_response: parsedResult(payload["result"]) }),
    },
    {
      name: "PostToolUseFailure",
      event: "post_tool_call",
      deliversAt: "transform_tool_result",
      feedback: "append",
      concerns: ofFailure,
      fields: (payload, place) => ({ ...toolCall(payload, place), error: errorIn(payload) ?? "", is_interrupt: false }),
    },
    {
      name: "UserPromptSubmit",
      event: "pre_llm_call",
      concerns: ofUser,
      fields: ({ user_message }) => ({ prompt: user_message ?? "" }),
      textIsContext: true,
    },
    {
      name: "Stop",
      event: "post_llm_call",
      concerns: ofUser,
      fields: ({ assistant_response }) => ({
        stop_hook_active: false,
        last_assistant_message: assistant_response ?? "",
      }),
    },
    { name: "SubagentStart", event: "subagent_start", matchesText: AGENT_TYPE, fields: childOf },
    {
      name: "SubagentStop",
      event: "subagent_stop",
      matchesText: AGENT_TYPE,
      fields: (payload: EventFields, place: ShellContext) => ({
        stop_hook_active: false,
        ...childOf(payload),
        agent_transcript_path: transcriptPath(payload["child_session_id"], place),
        last_assistant_message: payload["child_summary"] ?? "",
      }),
    },
    {
      name: "SessionStart",
      event: "on_session_start",
      matchesText: "startup",
      deliversAt: "pre_llm_call",
      exportsVariables: true,
      concerns: ofUser,
      fields: ({ model }) => ({ source: "startup", model: model ?? "" }),
      textIsContext: true,
    },
    {
      name: "SessionEnd",
      event: "on_session_finalize",
      matchesText: "other",
      concerns: ofUser,
      fields: () => ({ reason: "other" }),
    },
  ];
}

function childOf({ child_session_id }: EventFields): EventFields {
  return { agent_id: child_session_id ?? "", agent_type: AGENT_TYPE };
}
