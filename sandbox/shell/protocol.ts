/** What is asked of a protocol when entries are read; `codec.ts` is the part that runs scripts. */
import type { Wall, WallProfile } from "#core/ports/wall";
import type { EventName } from "#core/events";
import type { Words } from "./command.ts";
import type { Matcher } from "./matcher.ts";

/** Where scripts run and what they see. */
export interface ShellContext {
  /** The working folder of the scripts, and `cwd` of their payload. */
  readonly cwd: string;
  /** The home of hermes, which scripts get as `HERMES_HOME`. */
  readonly home: string;
  /** The parent's environment, secrets included; scripts get it filtered. */
  readonly env: NodeJS.ProcessEnv;
  /** What scripts may see and write: by the entry's own profile, or, with null, by that of the configuration. */
  readonly wallFor?: ((profile: WallProfile | null) => Wall) | undefined;
}

/** What differs between the kinds of scripts when their entries are read. */
export interface Protocol {
  /** True when the command line is given to `sh -c`: consent says so, for `;`, `|` and `$(…)` then count. */
  readonly throughShell: boolean;
  /** Why there is no such event in this protocol, as a clause; null when there is. */
  refuseEvent(event: EventName): string | null;
  /** The command's words, in which consent finds the script; what is started is {@link ProtocolCodec.argv}. */
  parse(command: string, home: string): Words;
  /** A matcher by the protocol's rule; it is asked with our tool names. */
  createMatcher(pattern: string | null): Matcher;
}
