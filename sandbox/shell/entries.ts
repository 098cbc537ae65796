/**
 * Reads the `hooks:` block of the configuration entry by entry: a bad entry is skipped with a warning, the others load
 * (CONTRACT §6, seed 003 "Configuration schema"). A gate with `fail_closed` is never skipped: a broken one is kept
 * with its `problem`, and blocks.
 */
import { declarationOf, EVENT_NAMES, eventsWhere, isEventName, type EventName } from "#core/events";
import { isGatewayEventName } from "#core/gateway-event-names";
import { userHome } from "#core/home/paths";
import type { WallProfile } from "#core/ports/wall";
import { didYouMean } from "#core/suggest";
import { isMapping } from "#core/mapping";
import { commandLine, parseCommand } from "./command.ts";
import { checkKeys } from "./entry-keys.ts";
import {
  describeValue,
  readArgs,
  readFlag,
  readNames,
  readPaths,
  readTimeout,
  readWallProfile,
  type Warn,
} from "./entry-values.ts";
import { readProtocol, readProtocolEvent } from "./entry-protocol.ts";
import { EVERYTHING, type Matcher } from "./matcher.ts";
import { PROTOCOL_NAMES, PROTOCOLS, type ProtocolName } from "./protocols.ts";

/** One configured shell hook. */
export interface ShellEntry {
  readonly event: EventName;
  /** Its position in the event's list: `hooks.<event>[<index>]`. */
  readonly index: number;
  /** Exactly as written, followed by its `args` as quoted words; null when a broken entry has none. */
  readonly command: string | null;
  /** The command's words, where consent finds the script; null for a broken entry. */
  readonly argv: readonly [string, ...string[]] | null;
  /** Why the entry cannot run, as a clause; null for a valid one. */
  readonly problem: string | null;
  /** The entry's `name`, else its command; for display. */
  readonly name: string;
  /** As written, trimmed; null when every tool matches. */
  readonly matcher: string | null;
  readonly toolMatcher: Matcher;
  readonly timeoutSeconds: number;
  readonly failClosed: boolean;
  /** `async: true`: the turn does not wait for it. */
  readonly background: boolean;
  /** True when one process gets all events, a line for each, and answers with lines. */
  readonly coprocess: boolean;
  readonly protocol: ProtocolName;
  /** The event of that protocol, where it has several for ours and the entry names one; else null. */
  readonly protocolEvent: string | null;
  /** True when its protocol runs the command through `sh -c`. */
  readonly throughShell: boolean;
  /** Variables to pass to the script although they are named like secrets. */
  readonly env: readonly string[];
  readonly enabled: boolean;
  /** Files and folders of data in the command, which `hooks_consent: pinned` exempts; `~` is expanded. */
  readonly pinIgnore: readonly string[];
  /** What the script may see and write, where the entry says so itself; null for what `sandbox.hooks` says. */
  readonly sandbox: WallProfile | null;
}

export interface HookEntries {
  readonly entries: readonly ShellEntry[];
  readonly warnings: readonly string[];
}

/** Reads the value of `hooks:`; `home` is what `~` means. Never throws, whatever the value is. */
export function parseHookEntries(block: unknown, home: string = userHome()): HookEntries {
  if (block === undefined || block === null) return { entries: [], warnings: [] };
  if (!isMapping(block)) {
    return { entries: [], warnings: [`hooks: expected a mapping of events, found ${describeValue(block)}; ignored`] };
  }
  const warnings: string[] = [];
  const entries: ShellEntry[] = [];
  for (const [event, list] of Object.entries(block)) {
    if (!isEventName(event)) {
      warnings.push(unknownEvent(event));
    } else if (Array.isArray(list)) {
      for (const [index, raw] of list.entries()) {
        const entry = parseEntry({ event, index, home, raw, warn: warnFor(event, index, warnings) });
        if (entry !== undefined) entries.push(entry);
      }
    } else if (list !== null) {
      const guard = isMapping(list) ? parseLoneGuard(event, list, home) : undefined;
      if (guard !== undefined) entries.push(guard);
      const then = guard === undefined ? "ignored" : consequence(true, true);
      warnings.push(`hooks.${event}: expected a list of entries, found ${describeValue(list)}; ${then}`);
    }
  }
  return { entries, warnings };
}

function warnFor(event: EventName, index: number, warnings: string[]): Warn {
  return (problem, key) => void warnings.push(`hooks.${event}[${index}]${key ? `.${key}` : ""}: ${problem}`);
}

function unknownEvent(event: string): string {
  const where = `hooks.${event}`;
  if (isGatewayEventName(event)) {
    return `${where}: ${event} is an event of gateway hooks, not of shell hooks; skipped. To handle it, put a handler with a HOOK.yaml into hooks/ in the home.`;
  }
  for (const protocol of PROTOCOL_NAMES) {
    const ours = PROTOCOLS[protocol].eventNamed(event);
    if (ours !== undefined)
      return `${where}: that is the name of ${ours.owner}; here it is ${ours.event}, with protocol: ${protocol}; skipped`;
  }
  const hint = didYouMean(event, EVENT_NAMES) || ` Known events: ${EVENT_NAMES.join(", ")}.`;
  return `${where}: there is no such hook event; skipped.${hint}`;
}

/** An entry where a list of entries should be: a gate with `fail_closed` is kept as broken, not dropped. */
function parseLoneGuard(event: EventName, raw: unknown, home: string): ShellEntry | undefined {
  const entry = parseEntry({ event, index: 0, home, raw, warn: () => undefined });
  if (entry === undefined || !entry.failClosed || !entry.enabled) return undefined;
  return { ...entry, problem: entry.problem ?? `hooks.${event} must be a list (start the entry with "- ")` };
}

interface Raw {
  readonly event: EventName;
  readonly index: number;
  readonly home: string;
  readonly raw: unknown;
  readonly warn: Warn;
}

function parseEntry({ event, index, home, raw, warn }: Raw): ShellEntry | undefined {
  if (!isMapping(raw)) {
    warn(`expected a mapping with "command", found ${describeValue(raw)}; skipped`);
    return undefined;
  }
  const keyProblem = checkKeys(event, raw, warn);
  const args = readArgs(raw["args"]);
  const program = typeof raw["command"] === "string" && raw["command"].trim() !== "" ? raw["command"] : null;
  const command = program === null || args.words === null ? program : commandLine(program, args.words);
  const failClosed = readFailClosed(event, raw, warn);
  const enabled = readFlag(raw, "enabled", true, warn);
  const protocol = readProtocol(event, raw["protocol"]);
  const words =
    protocol.problem === null ? readCommand({ program, args: args.words, raw, home }, protocol.name) : protocol;
  const sandbox = readWallProfile(raw["sandbox"]);
  const protocolEvent = readProtocolEvent(event, raw["protocol_event"], protocol);
  const spoilt = keyProblem ?? args.problem ?? sandbox.problem ?? protocolEvent.problem;
  const { argv, problem } = spoilt === null ? words : { argv: null, problem: spoilt };
  const keep = problem === null || failClosed || (command !== null && protocol.problem === null);
  if (problem !== null && enabled) warn(`${problem}; ${consequence(failClosed, keep)}`);
  if (!keep) return undefined;
  const matcher = readMatcher(event, raw["matcher"], warn);
  // The matcher of an unknown protocol has no known meaning, so such a broken guard blocks everything.
  const rules = PROTOCOLS[protocol.name];
  const toolMatcher =
    protocol.known && protocolEvent.problem === null
      ? rules.createMatcher(matcher, event, protocolEvent.name)
      : EVERYTHING;
  if (toolMatcher.problem !== null) {
    warn(
      `not a valid regular expression (${toolMatcher.problem}); it only matches a tool with the name ${JSON.stringify(matcher)}`,
      "matcher",
    );
  }
  if (enabled && protocol.known && toolMatcher.subject === undefined) {
    warnOfForeignNames(matcher, protocol.name, warn);
  }
  return {
    event,
    index,
    command,
    argv,
    problem,
    name: readName(raw["name"], warn) ?? command ?? `hooks.${event}[${index}]`,
    matcher,
    toolMatcher,
    timeoutSeconds: readTimeout(raw["timeout"], warn),
    failClosed,
    background: readBackground(event, raw, warn),
    coprocess: readFlag(raw, "coprocess", false, warn),
    protocol: protocol.name,
    protocolEvent: protocolEvent.name,
    throughShell: rules.throughShell && args.words === null,
    env: readNames(raw["env"], "env", warn),
    enabled,
    pinIgnore: readPaths(raw["pin_ignore"], "pin_ignore", home, warn),
    sandbox: sandbox.profile,
  };
}

function consequence(failClosed: boolean, keep: boolean): string {
  if (failClosed) return "until this is fixed, it blocks every matching call (fail_closed)";
  return keep ? "it cannot run" : "skipped";
}

interface RawCommand {
  readonly program: string | null;
  /** The entry's `args`, or null without it. */
  readonly args: readonly string[] | null;
  readonly raw: Record<string, unknown>;
  readonly home: string;
}

function readCommand(
  { program, args, raw, home }: RawCommand,
  protocol: ProtocolName,
): Pick<ShellEntry, "argv" | "problem"> {
  if (program === null) {
    const found = raw["command"] === undefined ? "" : ` (found ${describeValue(raw["command"])})`;
    return { argv: null, problem: `"command" must be a non-empty string${found}` };
  }
  const rules = PROTOCOLS[protocol];
  // With args there is no shell, whatever the protocol.
  const words = args === null ? rules.parse(program, home) : parseCommand(rules.expandArgument(program), home);
  if (words.problem !== null) return { argv: null, problem: `its command cannot be parsed: ${words.problem}` };
  return { argv: [...words.argv, ...(args ?? []).map((word) => rules.expandArgument(word))], problem: null };
}

const TOOL_EVENTS = eventsWhere(({ tool }) => tool);

function readMatcher(event: EventName, value: unknown, warn: Warn): string | null {
  if (value === undefined || value === null) return null;
  if (!declarationOf(event).tool) {
    warn(`it matches the names of tools, so only ${TOOL_EVENTS.join(", ")} have one; ignored`, "matcher");
    return null;
  }
  if (typeof value !== "string") {
    warn(`expected a regular expression, found ${describeValue(value)}; ignored, so every tool matches`, "matcher");
    return null;
  }
  return value.trim() || null;
}

/** The matcher in the names of `protocol`, when all its names are another protocol's, so that it matches no tool; else undefined. */
export function translateForeignNames(matcher: string | null, protocol: ProtocolName): string | undefined {
  const names = matcher?.split("|").map((name) => name.trim()) ?? [];
  const translated = names.map((name) => PROTOCOLS[protocol].translateToolName(name));
  return names.length === 0 || translated.includes(undefined) ? undefined : [...new Set(translated)].join("|");
}

/** Otherwise such a guard would never run, and nothing would say so. */
function warnOfForeignNames(matcher: string | null, protocol: ProtocolName, warn: Warn): void {
  const use = translateForeignNames(matcher, protocol);
  if (use === undefined) return;
  const [owner, otherwise] =
    protocol === "hermes"
      ? ["Claude Code", ", or set protocol: claude if the script was written for Claude Code"]
      : ["hermes", ""];
  warn(
    `${JSON.stringify(matcher)} names tools as ${owner} does, so the hook runs for none; use ${use}${otherwise}`,
    "matcher",
  );
}

function readFailClosed(event: EventName, raw: Record<string, unknown>, warn: Warn): boolean {
  // Where both are given ours wins.
  const key = (raw["fail_closed"] ?? undefined) === undefined ? "failClosed" : "fail_closed";
  if (!readFlag(raw, key, false, warn)) return false;
  const { kind, onFailure } = declarationOf(event);
  if (onFailure === "mark") return true;
  const why = kind === "gate" ? `${event} always fails open` : `${event} is not a gate and cannot block`;
  warn(`${why}; ignored`, key);
  return false;
}

function readBackground(event: EventName, raw: Record<string, unknown>, warn: Warn): boolean {
  if (!readFlag(raw, "async", false, warn)) return false;
  if (declarationOf(event).kind === "observe") return true;
  warn(`only observers can be async, and ${event} waits for an answer; ignored`, "async");
  return false;
}

function readName(value: unknown, warn: Warn): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  warn(`expected a string, found ${describeValue(value)}; ignored`, "name");
  return undefined;
}
