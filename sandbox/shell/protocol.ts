/** The part of a protocol that is needed to read entries; `codec.ts` is the part that runs scripts. */
import type { Wall, WallProfile } from "#core/ports/wall";
import type { EventName } from "#core/events";
import type { Words } from "./command.ts";
import type { Matcher, ToolOrigins } from "./matcher.ts";

/** Where scripts run and what they see. */
export interface ShellContext extends ToolOrigins {
  /** The working directory of the scripts, and `cwd` in their payload. */
  readonly cwd: string;
  /** The hermes home, which scripts get as `HERMES_HOME`. */
  readonly home: string;
  /** The parent's environment, including secrets; scripts get it filtered. */
  readonly env: NodeJS.ProcessEnv;
  /** What scripts may see and write: by the entry's own profile, or, with null, by that of the configuration. */
  readonly wallFor?: ((profile: WallProfile | null) => Wall) | undefined;
  /** The files of sessions; absent where there is no session, and where the script could not reach them. */
  readonly sessionFiles?: SessionFiles | undefined;
}

/** Files of a session that scripts of other programs expect. Nothing throws; null for a file that cannot be had. */
export interface SessionFiles {
  /** The path of the session's transcript, with all its messages so far. */
  transcript(sessionId: string): string | null;
  /** The path of a file in which a hook exports variables to the session's commands. */
  environmentFile(sessionId: string, name: string): string | null;
  /** The variables that hooks have exported to the session's commands. */
  environment(sessionId: string): Readonly<Record<string, string>>;
}

/** What a protocol decides when its entries are read. */
export interface Protocol {
  /** True when the command runs through `sh -c`, which interprets `;`, `|` and `$(…)`; the consent prompt says so. */
  readonly throughShell: boolean;
  /** The program that has this protocol, for people. */
  readonly owner: string;
  /** Our event for the protocol's own name of it, and whose name it is; undefined for any other name. */
  eventNamed(name: string): { readonly event: EventName; readonly owner: string } | undefined;
  /** The protocol's own names of one of our events; the first is that of entries that name none. */
  eventNames(event: EventName): readonly string[];
  /** The names that scripts and matchers of this protocol have for our tools. */
  toolNames(tools: readonly string[]): readonly string[];
  /** This protocol's name of a tool for the name that another protocol has for it; undefined for any other name. */
  translateToolName(name: string): string | undefined;
  /** Why this protocol does not have the event, as a clause; null when it does. */
  refuseEvent(event: EventName): string | null;
  /** The event that takes what an answer to this event adds or replaces; undefined where none does. */
  deliversAt(event: EventName, protocolEvent: string | null): EventName | undefined;
  /** The command's words, where consent finds the script; {@link ProtocolCodec.argv} is what is started. */
  parse(command: string, home: string): Words;
  /** A word of an entry with `args`, in which the protocol's placeholders are replaced. */
  expandArgument(word: string): string;
  /** Creates a matcher by the protocol's rule for an event; it gets our tool names. */
  createMatcher(pattern: string | null, event: EventName, protocolEvent: string | null): Matcher;
}
