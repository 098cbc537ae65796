/** Claude Code's hook protocol (CONTRACT §6, `protocol: claude`): scripts written for it run unchanged. */
import type { EventName } from "#core/events";
import { parseCommand, type Words } from "#sandbox/shell/command";
import { createBoundedTest, EVERYTHING, type Matcher } from "#sandbox/shell/matcher";
import type { Protocol } from "#sandbox/shell/protocol";
import { claudeEvent, eventOf, listClaudeEvents } from "./claude-events.ts";
import { claudeNamesOf, matchableNames } from "./claude-tools.ts";

/** Runs command lines that are not a plain list of words. */
export const SHELL = "/bin/sh";

export const CLAUDE: Protocol = {
  throughShell: true,
  eventNamed(name) {
    const event = eventOf(name);
    return event === undefined ? undefined : { event, owner: "Claude Code" };
  },
  toolNames: (tools) => [...new Set(tools.flatMap((tool) => matchableNames(tool, undefined)))],
  translateToolName: claudeNamesOf,
  refuseEvent,
  replacesAt: (event) => claudeEvent(event)?.replacesAt,
  parse,
  expandArgument: withoutProjectFolder,
  createMatcher,
};

function refuseEvent(event: EventName): string | null {
  if (claudeEvent(event) !== undefined) return null;
  return `protocol: claude has no event for ${event}; it has ${listClaudeEvents()}`;
}

/** Characters that make a command line more than a program and its words. The word parser handles quotes. */
const SHELL_SYNTAX = /[|&;<>()$`*?[\]{}!#\n]|^\s*\w+=/;

/**
 * A plain command line is split into words, so that consent finds its script; a line that needs a shell is code, which
 * the approval of the line itself covers. Scripts run in the project's folder, so `.` is used for it.
 */
function parse(command: string, home: string): Words {
  if (command.includes("\0")) return parseCommand(command, home);
  const plain = withoutProjectFolder(command).replaceAll(/\$(?:HOME\b|\{HOME\})/g, () => home);
  const words = SHELL_SYNTAX.test(plain) ? null : parseCommand(plain, home);
  return words === null ? { argv: [SHELL, "-c", command], problem: null } : words;
}

/** Scripts start in the project's folder. */
function withoutProjectFolder(text: string): string {
  return text.replaceAll(/\$(?:CLAUDE_PROJECT_DIR\b|\{CLAUDE_PROJECT_DIR\})/g, ".");
}

/** Names separated by `|` or commas match exactly. Anything else is a regular expression that may match anywhere. */
const NAMES = /^[\w\- ,|]+$/;

/** Claude Code's rule, tested against its names for our tools. */
function createMatcher(pattern: string | null): Matcher {
  const trimmed = pattern?.trim() ?? "";
  if (trimmed === "" || trimmed === "*") return EVERYTHING;
  const { test, problem } = NAMES.test(trimmed) ? exactly(trimmed.split(/[|,]/)) : byExpression(trimmed);
  return { matches: (tool, args) => matchableNames(tool, args).some(test), problem };
}

interface Tests {
  readonly test: (name: string) => boolean;
  readonly problem: string | null;
}

function exactly(names: readonly string[]): Tests {
  // An empty name, as in `Edit|Write|`, is a slip and not every tool.
  const wanted = new Set(names.map((name) => name.trim()).filter((name) => name !== ""));
  return { test: (name) => wanted.has(name), problem: null };
}

function byExpression(pattern: string): Tests {
  try {
    return { test: createBoundedTest(new RegExp(pattern)), problem: null };
  } catch (error) {
    return { test: (name) => name === pattern, problem: (error as Error).message.replace(/^.*: /s, "") };
  }
}
