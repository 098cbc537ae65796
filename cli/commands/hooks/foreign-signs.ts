/** Tells a script that was written for another program from one that was written for hermes, by the words it tests for. */
import { PROTOCOL_NAMES, PROTOCOLS, type ProtocolName } from "#sandbox/shell/protocols";

const WORDS = "(?:Bash|Write|Edit|MultiEdit|NotebookEdit)";

/** What gives a script away, and what it is called. */
type Sign = readonly [sign: RegExp, name: string];

const EVENTS = "event names";
const ANSWERS = "answers";
/** By protocol; the first with a sign in the script is the program that it was written for. */
const SIGNS: readonly (readonly [protocol: ProtocolName, signs: readonly Sign[]])[] = [
  [
    "gemini",
    [
      [/\b(?:BeforeTool|AfterTool|BeforeAgent|AfterAgent)\b/, EVENTS],
      [/\brun_shell_command\b/, "a tool named run_shell_command"],
    ],
  ],
  [
    "cursor",
    [
      [
        /\b(?:(?:before|after)(?:ShellExecution|MCPExecution)|beforeReadFile|afterFileEdit|beforeSubmitPrompt)\b/,
        EVENTS,
      ],
      [/(["'])?\bpermission\1\s*:\s*\\?["'](?:allow|deny|ask)\b/, ANSWERS],
    ],
  ],
  [
    "copilot",
    [
      [/\b(?:toolName|toolArgs)\b/, "toolName and toolArgs"],
      [/\buserPromptSubmitted\b/, EVENTS],
    ],
  ],
  [
    "claude",
    [
      [new RegExp(`(["'])\\^?${WORDS}(?:\\|\\w+)*\\$?\\1`), "a tool named Bash, Write or Edit"],
      [
        new RegExp(`^\\s*(?:case\\b.*\\bin\\s+)?(?:\\w+\\s*\\|\\s*)*${WORDS}(?:\\s*\\|\\s*\\w+)*\\)`, "m"),
        "a tool named Bash, Write or Edit",
      ],
      [new RegExp(`=~?\\s*\\^?\\(?${WORDS}(?=[\\s;|)\\]$]|$)`, "m"), "a tool named Bash, Write or Edit"],
      [new RegExp(`\\((?:\\w+\\|)*${WORDS}(?:\\|\\w+)*\\)`), "a tool named Bash, Write or Edit"],
      [/\b(?:PreToolUse|PostToolUse|UserPromptSubmit|SubagentStop)\b/, EVENTS],
      [/\btool_input\b[^\n]{0,40}\bfile_path\b/, "tool_input.file_path"],
      [/\b(?:hookSpecificOutput|permissionDecision)\b/, ANSWERS],
    ],
  ],
];

/** Words that only a script for hermes has a reason to hold: then it knows both. */
const OURS =
  /\b(?:search_files|delegate_task|(?:pre|post)_tool_call|pre_llm_call)\b|(["'])terminal\1|\b(?:write_file|read_file)\b/;
/** As above, for a program that has tools of the same names. */
const OURS_ALONE = /\b(?:search_files|delegate_task|(?:pre|post)_tool_call|pre_llm_call)\b|(["'])terminal\1/;

export interface ForeignSigns {
  readonly protocol: ProtocolName;
  readonly owner: string;
  /** What in the script looks written for the program, named once each. */
  readonly signs: readonly string[];
}

/** The program that the text of a script looks written for; undefined for a script that knows our names. */
export function findForeignSigns(text: string): ForeignSigns | undefined {
  const code = text
    .split("\n")
    .filter((line) => !/^\s*(?:#|\/\/)/.test(line))
    .join("\n");
  for (const [protocol, all] of SIGNS) {
    if ((protocol === "gemini" ? OURS_ALONE : OURS).test(code)) continue;
    const { owner } = PROTOCOLS[protocol];
    const signs = new Set(
      all
        .filter(([sign]) => sign.test(code))
        .map(([, name]) => (name === EVENTS || name === ANSWERS ? `${owner}'s ${name}` : name)),
    );
    if (signs.size > 0) return { protocol, owner, signs: [...signs] };
  }
  return undefined;
}

export interface ForeignTool {
  readonly protocol: ProtocolName;
  readonly owner: string;
  /** Our name of the tool. */
  readonly tool: string;
}

/** Another program's tool of this name, which is one of ours under its own; undefined for any other name. */
export function findForeignTool(name: string, known: readonly string[]): ForeignTool | undefined {
  if (known.includes(name)) return undefined;
  for (const protocol of PROTOCOL_NAMES) {
    const rules = PROTOCOLS[protocol];
    const tool = protocol === "hermes" ? undefined : known.find((each) => rules.toolNames([each]).includes(name));
    if (tool !== undefined) return { protocol, owner: rules.owner, tool };
  }
  return undefined;
}
