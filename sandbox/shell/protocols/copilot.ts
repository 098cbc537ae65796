/** The hook protocol of GitHub Copilot CLI (`protocol: copilot`), with both spellings of its events. */
import { stringify } from "#core/stringify";
import { errorIn, ofFailure, ofSuccess, ofUser, transcriptPath } from "./program-events.ts";
import { createProtocol, type EventFields, type Program, type ProgramEvent } from "./program.ts";
import { createToolNames, projectPath, seeksFiles } from "./tool-names.ts";

const PATH = { path: { theirs: "path", there: projectPath } };
const SEARCH = { fields: PATH, implied: ["target"] };

const COPILOT_TOOLS = createToolNames({
  terminal: [{ name: "bash", foreign: ["description", "mode", "sessionId"] }],
  read_file: [{ name: "view", fields: PATH }],
  write_file: [{ name: "create", fields: { ...PATH, content: { theirs: "file_text" } } }],
  patch: [
    {
      name: "edit",
      fields: { ...PATH, old_string: { theirs: "old_str" }, new_string: { theirs: "new_str" } },
    },
  ],
  search_files: [
    { name: "glob", ...SEARCH, when: seeksFiles },
    { name: "grep", ...SEARCH },
  ],
  delegate_task: [{ name: "task", fields: { goal: { theirs: "prompt" } }, foreign: ["description", "agent_type"] }],
});

const toolCall: ProgramEvent["fields"] = ({ tool_name: tool, args }, place) => ({
  tool_name: COPILOT_TOOLS.nameOf(String(tool), args),
  tool_input: COPILOT_TOOLS.inputOf(String(tool), args, place),
});

const resultOf = (payload: EventFields) => ({
  result_type: errorIn(payload) === undefined ? "success" : "failure",
  text_result_for_llm: payload["result"] ?? "",
});

/** Each with the name that gives snake_case fields; the other name and its camelCase fields follow from it. */
const ROWS: readonly (ProgramEvent & { readonly camelName: string })[] = [
  {
    name: "PreToolUse",
    camelName: "preToolUse",
    event: "pre_tool_call",
    deliversAt: "transform_tool_result",
    fields: toolCall,
  },
  {
    name: "PostToolUse",
    camelName: "postToolUse",
    event: "post_tool_call",
    concerns: ofSuccess,
    deliversAt: "transform_tool_result",
    fields: (payload, place) => ({ ...toolCall(payload, place), tool_result: resultOf(payload) }),
  },
  {
    name: "PostToolUseFailure",
    camelName: "postToolUseFailure",
    event: "post_tool_call",
    concerns: ofFailure,
    deliversAt: "transform_tool_result",
    feedback: "append",
    fields: (payload, place) => ({ ...toolCall(payload, place), error: errorIn(payload) ?? "" }),
  },
  {
    name: "UserPromptSubmit",
    camelName: "userPromptSubmitted",
    event: "pre_llm_call",
    concerns: ofUser,
    fields: ({ user_message }) => ({ prompt: user_message ?? "" }),
  },
  {
    name: "Stop",
    camelName: "agentStop",
    event: "post_llm_call",
    concerns: ofUser,
    fields: ({ session_id }, place) => ({
      transcript_path: transcriptPath(session_id, place),
      stop_reason: "end_turn",
    }),
  },
  {
    name: "SubagentStart",
    camelName: "subagentStart",
    event: "subagent_start",
    matchesText: "general-purpose",
    fields: ({ child_session_id, child_goal }, place) => ({
      transcript_path: transcriptPath(child_session_id, place),
      agent_name: "general-purpose",
      agent_description: child_goal ?? "",
    }),
  },
  {
    name: "SubagentStop",
    camelName: "subagentStop",
    event: "subagent_stop",
    matchesText: "general-purpose",
    fields: ({ child_session_id }, place) => ({
      transcript_path: transcriptPath(child_session_id, place),
      agent_name: "general-purpose",
      stop_reason: "end_turn",
    }),
  },
  {
    name: "SessionStart",
    camelName: "sessionStart",
    event: "on_session_start",
    deliversAt: "pre_llm_call",
    concerns: ofUser,
    fields: () => ({ source: "new" }),
  },
  {
    name: "SessionEnd",
    camelName: "sessionEnd",
    event: "on_session_finalize",
    concerns: ofUser,
    fields: () => ({ reason: "complete" }),
  },
  {
    name: "ErrorOccurred",
    camelName: "errorOccurred",
    event: "api_request_error",
    concerns: ofUser,
    fields: ({ error, retryable }) => ({
      error: { message: typeof error === "string" ? error : "", name: "ModelError" },
      error_context: "model_call",
      recoverable: retryable === true,
    }),
  },
];

/** Copilot's own spelling comes first. */
const events = ROWS.flatMap(({ camelName, ...row }): ProgramEvent[] => [
  { ...row, name: camelName, fields: (payload, place) => camelFields(row.fields(payload, place)) },
  row,
]);

/** The same fields in camelCase, with the arguments of a tool as a JSON string. */
function camelFields({ tool_input: input, ...fields }: EventFields): EventFields {
  const entries = Object.entries(fields).map(([key, value]) => {
    const isResult = key === "tool_result";
    return [camelCase(key), isResult ? camelFields(value as EventFields) : value] as const;
  });
  return { ...Object.fromEntries(entries), ...(input === undefined ? {} : { toolArgs: stringify(input) }) };
}

/** `text_result_for_llm` becomes `textResultForLlm`. */
function camelCase(key: string): string {
  return key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

export const COPILOT_CLI: Program = {
  owner: "GitHub Copilot CLI",
  protocol: "copilot",
  events,
  tools: COPILOT_TOOLS,
  wholeNames: true,
  projectVariables: ["CLAUDE_PROJECT_DIR"],
};

export const COPILOT = createProtocol(COPILOT_CLI);
