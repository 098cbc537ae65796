/** The hook protocol of Codex (`protocol: codex`): Claude Code's, with names of tools of its own. */
import { isMapping } from "#core/mapping";
import type { ShellContext } from "#sandbox/shell/protocol";
import { claudeEvents } from "./claude-events.ts";
import { createProtocol, type Program } from "./program.ts";
import { createToolNames, MILLISECONDS, projectPath, withUnderscores, type Translation } from "./tool-names.ts";

type Args = Readonly<Record<string, unknown>>;

/** Codex writes files with one tool, whose only argument is the text of a patch. */
const PATCH = { name: "apply_patch", aliases: ["Write", "Edit"] } as const;

const CODEX_TOOLS = createToolNames(
  {
    terminal: [{ name: "Bash", fields: { timeout: MILLISECONDS }, foreign: ["description"] }],
    write_file: [
      { ...PATCH, whole: (args, place) => patchOf("Add File", args, place, prefixed("+", args["content"])) },
    ],
    patch: [{ ...PATCH, whole: (args, place) => patchOf("Update File", args, place, hunkOf(args)) }],
  } satisfies Record<string, readonly Translation[]>,
  withUnderscores,
);

function patchOf(verb: string, args: Args, place: ShellContext, body: readonly string[]): Args {
  const path = projectPath(args["path"], place);
  const file = `*** ${verb}: ${typeof path === "string" ? path : ""}`;
  return { command: ["*** Begin Patch", file, ...body, "*** End Patch"].join("\n") };
}

function hunkOf({ old_string: before, new_string: after }: Args): readonly string[] {
  return ["@@", ...prefixed("-", before), ...prefixed("+", after)];
}

function prefixed(sign: string, text: unknown): readonly string[] {
  const lines = typeof text === "string" ? text : isMapping(text) ? JSON.stringify(text) : "";
  return lines
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => sign + line);
}

/** Codex has no event for a failed call or for the end of a session; a block of its PostToolUse replaces the result. */
const events = claudeEvents(CODEX_TOOLS)
  .filter(({ name }) => !["PostToolUseFailure", "SessionEnd"].includes(name))
  .map((row) => (row.name === "PostToolUse" ? { ...row, feedback: "replace" as const } : row));

export const CODEX_CLI: Program = {
  owner: "Codex",
  protocol: "codex",
  events,
  tools: CODEX_TOOLS,
  exactNames: /^[A-Za-z0-9_|]+$/,
  projectVariables: ["CLAUDE_PROJECT_DIR"],
};

export const CODEX = createProtocol(CODEX_CLI);
