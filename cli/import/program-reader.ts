/** How a program's hook settings look: one row for each program that can be imported. */
import type { Program } from "#sandbox/shell/protocols/program";
import type { ImportableProgram } from "./options.ts";

export interface ProgramReader {
  readonly name: ImportableProgram;
  readonly program: Program;
  /** `groups`: an event has a list of `{matcher, hooks: […]}`; `list`: it has the hooks themselves. */
  readonly layout: "groups" | "list";
  /** The keys of a hook that hold its command, the first one that is given. */
  readonly commandKeys: readonly string[];
  readonly timeout: { readonly keys: readonly string[]; readonly unit: "seconds" | "milliseconds" };
  /** Keys that change nothing about what runs and when. */
  readonly harmless: readonly string[];
  /** Keys that a hook cannot be imported with, and why, as a clause. */
  readonly decisive: Readonly<Record<string, string>>;
  /** Keys without a counterpart that the hook can do without, and what is different then, as a clause. */
  readonly dropped: Readonly<Record<string, string>>;
  /** Events without a counterpart here, and why, as a clause. */
  readonly missing: Readonly<Record<string, string>>;
  /** Keys beside the events. */
  readonly notEvents: readonly string[];
  /** Variables that name the folder of a plugin or extension. */
  readonly pluginVariables: readonly string[];
  /** The settings files of a project, from its folder. `*` is any name. */
  readonly files: readonly string[];
  /** Its folder in a project and in the user's home, such as `.claude`. */
  readonly folder: string;
  /** True when scripts of the user's own settings start in their folder. */
  readonly startsInFolder?: true;
  /** Why the hooks of these settings are off, as a clause; undefined when they are on. */
  readonly switchedOff?: (settings: Readonly<Record<string, unknown>>) => string | undefined;
  /** The names or commands of single hooks that these settings switch off. */
  readonly disabledHooks?: (settings: Readonly<Record<string, unknown>>) => readonly unknown[];
}

/** Reasons that several programs share. */
export const NO_NOTIFICATIONS = "hermes has no event for notifications";
export const NO_COMPACTION = "hermes has no event for the compaction of a conversation";
export const NO_PERMISSIONS =
  "hermes asks for approval only when a hook answers so; use a hook before the tool call instead";
