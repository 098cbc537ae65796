/** The plain protocol of hermes (CONTRACT §6): our names, no shell. */
import { parseCommand } from "#sandbox/shell/command";
import { createMatcher } from "#sandbox/shell/matcher";
import { CLAUDE_TOOLS } from "./claude-tools.ts";
import type { Protocol } from "#sandbox/shell/protocol";

export const HERMES: Protocol = {
  throughShell: false,
  owner: "hermes",
  eventNamed: () => undefined,
  eventNames: () => [],
  toolNames: (tools) => tools,
  translateToolName: CLAUDE_TOOLS.toolNamed,
  refuseEvent: () => null,
  deliversAt: () => undefined,
  parse: parseCommand,
  expandArgument: (word) => word,
  createMatcher: (pattern) => createMatcher(pattern),
};
