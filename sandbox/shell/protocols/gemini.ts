/** The hook protocol of Gemini CLI (`protocol: gemini`). */
import { errorIn, ofCall, ofUser, parsedResult } from "./program-events.ts";
import { createProtocol, type Program, type ProgramEvent } from "./program.ts";
import { absolutePath, createToolNames, seeksFiles } from "./tool-names.ts";

const FILE = { path: { theirs: "file_path", there: absolutePath } };
const SEARCH = { fields: { path: { theirs: "dir_path", there: absolutePath } }, implied: ["target"] };

const GEMINI_TOOLS = createToolNames({
  terminal: [
    {
      name: "run_shell_command",
      fields: { workdir: { theirs: "dir_path", there: absolutePath } },
      foreign: ["description", "is_background"],
    },
  ],
  read_file: [{ name: "read_file", fields: FILE }],
  write_file: [{ name: "write_file", fields: FILE }],
  patch: [
    {
      name: "replace",
      fields: { ...FILE, replace_all: { theirs: "allow_multiple" } },
      foreign: ["instruction", "expected_replacements"],
    },
  ],
  search_files: [
    { name: "glob", ...SEARCH, when: seeksFiles },
    { name: "grep_search", aliases: ["search_file_content"], ...SEARCH },
  ],
});

const toolCall: ProgramEvent["fields"] = ({ tool_name: tool, args }, place) => ({
  tool_name: GEMINI_TOOLS.nameOf(String(tool), args, place),
  tool_input: GEMINI_TOOLS.inputOf(String(tool), args, place),
});

const events: readonly ProgramEvent[] = [
  { name: "BeforeTool", event: "pre_tool_call", fields: toolCall },
  {
    name: "AfterTool",
    event: "post_tool_call",
    deliversAt: "transform_tool_result",
    feedback: "replace",
    concerns: ofCall,
    fields: (payload, place) => {
      const message = errorIn(payload);
      const text = payload["result"] ?? "";
      return {
        ...toolCall(payload, place),
        tool_response: {
          llmContent: text,
          returnDisplay: text,
          result: parsedResult(text),
          ...(message === undefined ? {} : { error: { message } }),
        },
      };
    },
  },
  {
    name: "BeforeAgent",
    event: "pre_llm_call",
    concerns: ofUser,
    fields: ({ user_message }) => ({ prompt: user_message ?? "" }),
  },
  {
    name: "AfterAgent",
    event: "post_llm_call",
    concerns: ofUser,
    fields: ({ user_message, assistant_response }) => ({
      prompt: user_message ?? "",
      prompt_response: assistant_response ?? "",
      stop_hook_active: false,
    }),
  },
  {
    name: "SessionStart",
    event: "on_session_start",
    matchesText: "startup",
    deliversAt: "pre_llm_call",
    concerns: ofUser,
    fields: () => ({ source: "startup" }),
  },
  {
    name: "SessionEnd",
    event: "on_session_finalize",
    matchesText: "exit",
    concerns: ofUser,
    fields: () => ({ reason: "exit" }),
  },
];

export const GEMINI_CLI: Program = {
  owner: "Gemini CLI",
  protocol: "gemini",
  events,
  tools: GEMINI_TOOLS,
  projectVariables: ["GEMINI_PROJECT_DIR", "CLAUDE_PROJECT_DIR"],
};

export const GEMINI = createProtocol(GEMINI_CLI);
