/** The plain protocol of hermes (CONTRACT §6): our names, no shell. */
import { parseCommand } from "#sandbox/shell/command";
import { createMatcher } from "#sandbox/shell/matcher";
import { toolOfClaudeName } from "./claude-tools.ts";
import type { Protocol } from "#sandbox/shell/protocol";

export const HERMES: Protocol = {
  throughShell: false,
  eventNamed: () => undefined,
  toolNames: (tools) => tools,
  translateToolName: toolOfClaudeName,
  refuseEvent: () => null,
  replacesAt: () => undefined,
  parse: parseCommand,
  expandArgument: (word) => word,
  createMatcher,
};
