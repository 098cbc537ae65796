/** Claude Code's names for our tools. */
import { absolutePath, createToolNames, MILLISECONDS, seeksFiles, withUnderscores } from "./tool-names.ts";

const FILE = { path: { theirs: "file_path", there: absolutePath } };
const SEARCH = { fields: { path: { theirs: "path", there: absolutePath } }, implied: ["target"] };

export const CLAUDE_TOOLS = createToolNames(
  {
    terminal: [
      {
        name: "Bash",
        fields: { timeout: MILLISECONDS },
        foreign: ["description", "run_in_background", "dangerouslyDisableSandbox"],
      },
    ],
    read_file: [{ name: "Read", fields: FILE }],
    write_file: [{ name: "Write", fields: FILE }],
    patch: [{ name: "Edit", fields: FILE }],
    search_files: [
      { name: "Glob", ...SEARCH, when: seeksFiles },
      { name: "Grep", ...SEARCH },
    ],
    delegate_task: [
      {
        name: "Task",
        aliases: ["Agent"],
        fields: { goal: { theirs: "prompt" } },
        foreign: ["description", "subagent_type", "model", "run_in_background"],
      },
    ],
  },
  withUnderscores,
);
