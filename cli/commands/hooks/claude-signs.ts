/** Tells a script that was written for Claude Code from one that was written for hermes, by the words it tests for. */

const WORDS = "(?:Bash|Write|Edit|MultiEdit|NotebookEdit)";

/** What gives a script away, and what it is called. */
const SIGNS: readonly (readonly [sign: RegExp, name: string])[] = [
  [new RegExp(`(["'])\\^?${WORDS}(?:\\|\\w+)*\\$?\\1`), "a tool named Bash, Write or Edit"],
  [
    new RegExp(`^\\s*(?:case\\b.*\\bin\\s+)?(?:\\w+\\s*\\|\\s*)*${WORDS}(?:\\s*\\|\\s*\\w+)*\\)`, "m"),
    "a tool named Bash, Write or Edit",
  ],
  [new RegExp(`=~?\\s*\\^?\\(?${WORDS}(?=[\\s;|)\\]$]|$)`, "m"), "a tool named Bash, Write or Edit"],
  [new RegExp(`\\((?:\\w+\\|)*${WORDS}(?:\\|\\w+)*\\)`), "a tool named Bash, Write or Edit"],
  [/\b(?:PreToolUse|PostToolUse|UserPromptSubmit|SubagentStop)\b/, "Claude Code's event names"],
  [/\btool_input\b[^\n]{0,40}\bfile_path\b/, "tool_input.file_path"],
  [/\b(?:hookSpecificOutput|permissionDecision)\b/, "Claude Code's answers"],
];

/** Words that only a script for hermes has a reason to hold: then it knows both. */
const OURS =
  /\b(?:write_file|read_file|search_files|delegate_task|(?:pre|post)_tool_call|pre_llm_call)\b|(["'])terminal\1/;

/** Names of Claude Code's tools and what they are called here. */
export const CLAUDE_TOOLS: Readonly<Record<string, string>> = {
  Bash: "terminal",
  Read: "read_file",
  Write: "write_file",
  Edit: "patch",
  MultiEdit: "patch",
  Grep: "search_files",
  Task: "delegate_task",
};

/** What in the text of a script looks written for Claude Code, named once each; nothing for a script that knows ours. */
export function findClaudeSigns(text: string): readonly string[] {
  const code = text
    .split("\n")
    .filter((line) => !/^\s*(?:#|\/\/)/.test(line))
    .join("\n");
  if (OURS.test(code)) return [];
  return [...new Set(SIGNS.filter(([sign]) => sign.test(code)).map(([, name]) => name))];
}
