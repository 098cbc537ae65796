/** Claude Code's hook protocol (CONTRACT §6, `protocol: claude`): scripts written for it run unchanged. */
import { claudeEvents } from "./claude-events.ts";
import { CLAUDE_TOOLS } from "./claude-tools.ts";
import { createProtocol, type Program } from "./program.ts";

export const CLAUDE_CODE: Program = {
  owner: "Claude Code",
  protocol: "claude",
  events: claudeEvents(CLAUDE_TOOLS),
  tools: CLAUDE_TOOLS,
  exactNames: /^[\w\- ,|]+$/,
  projectVariables: ["CLAUDE_PROJECT_DIR"],
};

export const CLAUDE = createProtocol(CLAUDE_CODE);
