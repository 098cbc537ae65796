/**
 * What another program's hook protocol consists of, as data: its events, its names of tools and the rule of its
 * matchers. `createProtocol` makes the part of a {@link Protocol} that reads entries; `program-codec.ts` runs scripts.
 */
import type { EventName } from "#core/events";
import { isMapping } from "#core/mapping";
import type { Firing } from "#core/ports/hook";
import { parseCommand, type Words } from "#sandbox/shell/command";
import { createBoundedTest, EVERYTHING, type Matcher } from "#sandbox/shell/matcher";
import type { Protocol, ShellContext } from "#sandbox/shell/protocol";
import type { ToolNames } from "./tool-names.ts";

export type EventFields = Readonly<Record<string, unknown>>;

/** One of the program's events. The first row of one of our events is the one for entries that name none. */
export interface ProgramEvent {
  /** As the program's settings and scripts write it. */
  readonly name: string;
  readonly event: EventName;
  /** The fields in addition to those that all events of the program share. */
  readonly fields: (payload: EventFields, place: ShellContext) => EventFields;
  /** Scripts may export variables to the session's commands. */
  readonly exportsVariables?: true;
  /** Plain text on standard output is context for the model there. */
  readonly textIsContext?: true;
  /** Our event that takes what an answer adds or replaces: the tool's result, or the message of the turn. */
  readonly deliversAt?: EventName;
  /** What becomes of the reason when a script blocks after the fact; absent where it changes nothing. */
  readonly feedback?: "append" | "replace";
  /** False for a firing at which the program has no such event. */
  readonly concerns?: (firing: Pick<Firing, "origin" | "payload">) => boolean;
  /** Which of our tools it is about; absent for all of them. */
  readonly isAbout?: (tool: string) => boolean;
  /** The argument of the call that its matcher is tested against, instead of the tool's name. */
  readonly matchesArgument?: string;
  /** What a matcher of an event without a tool is tested against there; it is always this here. */
  readonly matchesText?: string;
}

export interface Program {
  /** Its name for people. */
  readonly owner: string;
  /** The value of `protocol`. */
  readonly protocol: string;
  readonly events: readonly ProgramEvent[];
  readonly tools: ToolNames;
  /** Matchers of this form are lists of exact names, separated by `|` or commas; absent where there are none. */
  readonly exactNames?: RegExp;
  /** True when an expression must match the whole name. */
  readonly wholeNames?: true;
  /** Variables that name the project's folder. */
  readonly projectVariables: readonly string[];
}

/** Runs command lines that are not a plain list of words. */
export const SHELL = "/bin/sh";

/** Creates the part of the program's protocol that reads entries. */
export function createProtocol(program: Program): Protocol {
  const { events, owner, tools } = program;
  const projectFolder = variablePattern(program.projectVariables);
  const expandArgument = (text: string) => text.replaceAll(projectFolder, ".");
  return {
    throughShell: true,
    owner,
    eventNamed(name) {
      const row = events.find((each) => each.name === name);
      return row === undefined ? undefined : { event: row.event, owner };
    },
    eventNames: (event) => events.filter((row) => row.event === event).map(({ name }) => name),
    toolNames: (names) => [...new Set(names.flatMap((tool) => tools.matchable(tool, undefined)))],
    translateToolName: tools.namesOf,
    refuseEvent(event) {
      if (events.some((row) => row.event === event)) return null;
      const known = events.map(({ name, event: ours }) => `${ours} (${name})`).join(", ");
      return `protocol: ${program.protocol} has no event for ${event}; it has ${known}`;
    },
    deliversAt: (event, name) => rowOf(program, event, name)?.deliversAt,
    parse: (command, home) => parse(command, home, expandArgument),
    expandArgument,
    createMatcher: (pattern, event, name) => createMatcher(program, pattern, rowOf(program, event, name)),
  };
}

/** The program's event of this name for one of ours; without a name, the usual one. */
export function rowOf({ events }: Program, event: EventName, name: string | null): ProgramEvent | undefined {
  return events.find((row) => row.event === event && (name === null || row.name === name));
}

/** `$NAME` and `${NAME}` of these variables. */
function variablePattern(names: readonly string[]): RegExp {
  return new RegExp(names.map((name) => `\\$(?:${name}\\b|\\{${name}\\})`).join("|"), "g");
}

/** Characters that make a command line more than a program and its words. The word parser handles quotes. */
const SHELL_SYNTAX = /[|&;<>()$`*?[\]{}!#\n]|^\s*\w+=/;

/**
 * A plain command line is split into words, so that consent finds its script; a line that needs a shell is code, which
 * the approval of the line itself covers. Scripts start in the project's folder, so `.` is used for it.
 */
function parse(command: string, home: string, expand: (text: string) => string): Words {
  if (command.includes("\0")) return parseCommand(command, home);
  const plain = expand(command).replaceAll(/\$(?:HOME\b|\{HOME\})/g, () => home);
  const words = SHELL_SYNTAX.test(plain) ? null : parseCommand(plain, home);
  return words === null ? { argv: [SHELL, "-c", command], problem: null } : words;
}

function createMatcher(program: Program, pattern: string | null, row: ProgramEvent | undefined): Matcher {
  const isAbout = row?.isAbout ?? (() => true);
  const trimmed = pattern?.trim() ?? "";
  if (trimmed === "" || trimmed === "*") {
    return row?.isAbout === undefined ? EVERYTHING : { matches: isAbout, problem: null };
  }
  const { test, problem } = testOf(program, trimmed);
  const argument = row?.matchesArgument;
  if (argument !== undefined) {
    const matches = (tool: string, args?: unknown) =>
      isAbout(tool) && (args === undefined || test(textAt(args, argument)));
    return { matches, problem, subject: argument };
  }
  const { matchable } = program.tools;
  return { matches: (tool, args, origins) => isAbout(tool) && matchable(tool, args, origins).some(test), problem };
}

/** An argument of a call; empty if it isn't a string. */
function textAt(args: unknown, key: string): string {
  const value = isMapping(args) ? args[key] : undefined;
  return typeof value === "string" ? value : "";
}

/** True when a matcher of the program's selects this text, which is no tool's name. */
export function matchesText(program: Program, pattern: string, text: string): boolean {
  const trimmed = pattern.trim();
  return trimmed === "" || trimmed === "*" || testOf(program, trimmed).test(text);
}

interface Tests {
  readonly test: (name: string) => boolean;
  readonly problem: string | null;
}

function testOf({ exactNames, wholeNames }: Program, pattern: string): Tests {
  if (exactNames?.test(pattern)) {
    // An empty name, as in `Edit|Write|`, is a slip and not every tool.
    const wanted = new Set(
      pattern
        .split(/[|,]/)
        .map((name) => name.trim())
        .filter((name) => name !== ""),
    );
    return { test: (name) => wanted.has(name), problem: null };
  }
  try {
    // The expression alone is tried first: "a)(b" must not become valid inside parentheses.
    const plain = new RegExp(pattern);
    const expression = wholeNames ? new RegExp(`^(?:${pattern})$`) : plain;
    return { test: createBoundedTest(expression), problem: null };
  } catch (error) {
    return { test: (name) => name === pattern, problem: (error as Error).message.replace(/^.*: /s, "") };
  }
}
