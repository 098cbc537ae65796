/** The hook protocol of Cursor (`protocol: cursor`). */
import { isMapping } from "#core/mapping";
import type { McpToolName } from "#core/mcp-names";
import { readRegularFile } from "#core/regular-file";
import { stringify } from "#core/stringify";
import { errorIn, isMcpTool, ofCall, ofFailure, ofSuccess, ofUser, transcriptPath } from "./program-events.ts";
import { createProtocol, type EventFields, type Program, type ProgramEvent } from "./program.ts";
import { absolutePath, createToolNames, seeksFiles } from "./tool-names.ts";

const FILE = { path: { theirs: "file_path", there: absolutePath } };
const SEARCH = { fields: { path: { theirs: "path", there: absolutePath } }, implied: ["target"] };

const CURSOR_TOOLS = createToolNames(
  {
    terminal: [{ name: "Shell", fields: { workdir: { theirs: "working_directory", there: absolutePath } } }],
    read_file: [{ name: "Read", fields: FILE }],
    write_file: [{ name: "Write", fields: FILE }],
    patch: [{ name: "Write", aliases: ["StrReplace", "Edit"], fields: FILE }],
    search_files: [
      { name: "Glob", ...SEARCH, when: seeksFiles },
      { name: "Grep", ...SEARCH },
    ],
    delegate_task: [{ name: "Task", fields: { goal: { theirs: "prompt" } } }],
  },
  // Cursor's name of such a tool has no server.
  (tool, mcp) => (isMcpTool(tool) ? [...shortNames(tool, mcp).map((name) => `MCP:${name}`), tool] : [tool]),
);

/**
 * The tool's own name in `mcp_<server>_<tool>`. For a tool of no configured server it is not known where the server's
 * name ends: then everything that it may be, the likeliest first.
 */
function shortNames(tool: string, mcp: McpToolName | undefined): readonly string[] {
  if (mcp !== undefined) return [mcp.tool];
  const rest = tool.replace(/^mcp_+/, "");
  const named = rest.includes("__") ? rest.slice(rest.indexOf("__") + 2) : undefined;
  const parts = rest.split("_");
  const readings = parts.slice(1).map((_, index) => parts.slice(index + 1).join("_"));
  return [...new Set([named, ...readings].filter((name) => name !== undefined && name !== ""))] as string[];
}

const toolCall: ProgramEvent["fields"] = ({ tool_name: tool, args, tool_call_id: id }, place) => ({
  tool_name: CURSOR_TOOLS.nameOf(String(tool), args, place),
  tool_input: CURSOR_TOOLS.inputOf(String(tool), args, place),
  tool_use_id: id ?? "",
  cwd: place.cwd,
});

const shellCall: ProgramEvent["fields"] = ({ args }, { cwd }) => ({ command: textIn(args, "command"), cwd });
const fileOf: ProgramEvent["fields"] = ({ args }, place) => ({ file_path: absolutePath(textIn(args, "path"), place) });
const mcpCall: ProgramEvent["fields"] = ({ tool_name: tool, args }, { mcpTool }) => ({
  tool_name: shortNames(String(tool), mcpTool?.(String(tool)))[0] ?? tool,
  tool_input: stringify(args ?? {}),
});
const isShell = (tool: string) => tool === "terminal";
const isEdit = (tool: string) => tool === "write_file" || tool === "patch";

const TOOL_EVENTS: readonly ProgramEvent[] = [
  {
    name: "preToolUse",
    event: "pre_tool_call",
    fields: (payload, place) => ({
      // For scripts that know the older events of single tools, too.
      ...(isShell(String(payload["tool_name"])) ? shellCall(payload, place) : {}),
      ...toolCall(payload, place),
    }),
  },
  {
    name: "beforeShellExecution",
    event: "pre_tool_call",
    isAbout: isShell,
    matchesArgument: "command",
    fields: (payload, place) => ({ ...shellCall(payload, place), sandbox: false }),
  },
  { name: "beforeMCPExecution", event: "pre_tool_call", isAbout: isMcpTool, fields: mcpCall },
  {
    name: "beforeReadFile",
    event: "pre_tool_call",
    isAbout: (tool) => tool === "read_file",
    fields: (payload, place) => {
      const file = fileOf(payload, place);
      return { ...file, content: contentOf(file["file_path"]), attachments: [] };
    },
  },
  {
    name: "postToolUse",
    event: "post_tool_call",
    deliversAt: "transform_tool_result",
    concerns: ofSuccess,
    fields: (payload, place) => ({
      ...toolCall(payload, place),
      tool_output: payload["result"] ?? "",
      duration: payload["duration_ms"] ?? 0,
    }),
  },
  {
    name: "postToolUseFailure",
    event: "post_tool_call",
    concerns: ofFailure,
    fields: (payload, place) => ({
      ...toolCall(payload, place),
      error_message: errorIn(payload) ?? "",
      failure_type: "error",
      is_interrupt: false,
    }),
  },
  {
    name: "afterShellExecution",
    event: "post_tool_call",
    isAbout: isShell,
    matchesArgument: "command",
    concerns: ofCall,
    fields: (payload, place) => ({
      ...shellCall(payload, place),
      output: payload["result"] ?? "",
      duration: payload["duration_ms"] ?? 0,
    }),
  },
  {
    name: "afterMCPExecution",
    event: "post_tool_call",
    isAbout: isMcpTool,
    concerns: ofCall,
    fields: (payload, place) => ({ ...mcpCall(payload, place), result_json: payload["result"] ?? "" }),
  },
  {
    name: "afterFileEdit",
    event: "post_tool_call",
    isAbout: isEdit,
    concerns: ofSuccess,
    fields: (payload, place) => ({ ...fileOf(payload, place), edits: [editOf(payload["args"])] }),
  },
];

const SESSION_EVENTS: readonly ProgramEvent[] = [
  {
    name: "beforeSubmitPrompt",
    event: "pre_llm_call",
    concerns: ofUser,
    fields: ({ user_message }) => ({ prompt: user_message ?? "", attachments: [] }),
  },
  {
    name: "stop",
    event: "post_llm_call",
    concerns: ofUser,
    fields: () => ({ status: "completed", loop_count: 0 }),
  },
  {
    name: "afterAgentResponse",
    event: "post_llm_call",
    concerns: ofUser,
    fields: ({ assistant_response }) => ({ text: assistant_response ?? "" }),
  },
  {
    name: "sessionStart",
    event: "on_session_start",
    deliversAt: "pre_llm_call",
    concerns: ofUser,
    fields: ({ session_id }) => ({ session_id, is_background_agent: false, composer_mode: "agent" }),
  },
  {
    name: "sessionEnd",
    event: "on_session_finalize",
    concerns: ofUser,
    fields: ({ session_id }) => ({
      session_id: session_id ?? "",
      reason: "completed",
      duration_ms: 0,
      is_background_agent: false,
      final_status: "completed",
    }),
  },
  {
    name: "subagentStart",
    event: "subagent_start",
    matchesText: "generalPurpose",
    fields: ({ child_session_id, child_goal, session_id }) => ({
      subagent_id: child_session_id ?? "",
      subagent_type: "generalPurpose",
      task: child_goal ?? "",
      parent_conversation_id: session_id ?? "",
      is_parallel_worker: false,
    }),
  },
  {
    name: "subagentStop",
    event: "subagent_stop",
    matchesText: "generalPurpose",
    fields: ({ child_session_id, child_summary, child_status, duration_ms }, place) => ({
      subagent_type: "generalPurpose",
      status: child_status === "completed" || child_status === undefined ? "completed" : "error",
      summary: child_summary ?? "",
      duration_ms: duration_ms ?? 0,
      agent_transcript_path: transcriptPath(child_session_id, place),
    }),
  },
];

function textIn(args: unknown, key: string): string {
  const value = isMapping(args) ? args[key] : undefined;
  return typeof value === "string" ? value : "";
}

const MOST_READ_BYTES = 1024 * 1024;

/** The content of a file that is about to be read; empty if it isn't a file, or is larger than a guard should be sent. */
function contentOf(path: unknown): string {
  const reading = readRegularFile(String(path), { mostBytes: MOST_READ_BYTES });
  return reading.kind === "read" ? reading.content.toString("utf8") : "";
}

function editOf(args: unknown): EventFields {
  return isMapping(args) && args["old_string"] !== undefined
    ? { old_string: args["old_string"], new_string: args["new_string"] ?? "" }
    : { old_string: "", new_string: textIn(args, "content") };
}

export const CURSOR_IDE: Program = {
  owner: "Cursor",
  protocol: "cursor",
  events: [...TOOL_EVENTS, ...SESSION_EVENTS],
  tools: CURSOR_TOOLS,
  projectVariables: ["CURSOR_PROJECT_DIR", "CLAUDE_PROJECT_DIR"],
};

export const CURSOR = createProtocol(CURSOR_IDE);
