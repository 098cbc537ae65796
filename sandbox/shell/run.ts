/** Runs one script for one firing. The {@link Grant} says what it may run. */
import { assertGrant, type Grant, type ResolvedCommand } from "#allowlist/grant";
import type { Firing } from "#core/ports/hook";
import { filterEnvironment } from "#sandbox/process/environment";
import { runWithinCap } from "#sandbox/process/cap";
import type { LaunchOptions } from "#sandbox/process/launch";
import { existingFolder, notStarted } from "#sandbox/process/prepared";
import type { ProcessResult } from "#sandbox/process/run";
import type { ShellEntry } from "./entries.ts";
import { MOST_OUTPUT_BYTES } from "./outcome.ts";
import { WIRES } from "./codecs.ts";
import { requestOf } from "./request.ts";
import type { ShellContext } from "./protocol.ts";

export interface ShellRun {
  readonly entry: ShellEntry;
  readonly grant: Grant;
  readonly firing: Firing;
  readonly signal: AbortSignal;
  readonly shellContext: ShellContext;
}

/** Runs the entry's command with the firing's payload. Throws a TypeError without a grant for exactly this entry. */
export async function runScript(run: ShellRun): Promise<ProcessResult> {
  const { entry, firing, signal } = run;
  const command = commandOf(run);
  if ("problem" in command) return notStarted(command.problem);
  const place = await placeOf(run);
  return runWithinCap({
    ...launchOptions(run, command, place),
    // Scripts read lines, and a last line without an end is none to many of them.
    stdin: `${WIRES[entry.protocol].document(firing, place, entry)}\n`,
    timeoutMs: entry.timeoutSeconds * 1000,
    maxOutputBytes: MOST_OUTPUT_BYTES,
    overflow: "kill",
    signal,
  });
}

/** What runs now for the entry, or why nothing may. Throws a TypeError without a grant for exactly this entry. */
export function commandOf({ entry, grant }: Pick<ShellRun, "entry" | "grant">): ReturnType<NonNullable<Grant["pin"]>> {
  assertGrant(grant, requestOf(entry));
  const argv = WIRES[entry.protocol].argv(entry);
  if (argv === null || entry.argv === null) {
    throw new TypeError(`hooks.${entry.event}[${entry.index}] has no command to run`);
  }
  return grant.pin === null ? { argv, argv0: null, script: null } : grant.pin(entry.argv);
}

/** What the script sees: the files of sessions only where it can reach them. */
export async function placeOf({
  entry,
  shellContext,
}: Pick<ShellRun, "entry" | "shellContext">): Promise<ShellContext> {
  if (!WIRES[entry.protocol].namesFiles) return shellContext;
  const hidesFiles = (await shellContext.wallFor?.(entry.sandbox).stands()) ?? false;
  return hidesFiles ? { ...shellContext, sessionFiles: undefined } : shellContext;
}

/** How to start the command; `place` is what its environment may name. */
export function launchOptions(
  { entry, firing, shellContext: { cwd, home, env, wallFor } }: ShellRun,
  { argv, argv0, script }: ResolvedCommand,
  place: ShellContext,
): LaunchOptions {
  const { HERMES_HOOK_SCRIPT: _others, ...inherited } = filterEnvironment(env, entry.env);
  return {
    argv,
    ...(argv0 === null ? {} : { argv0 }),
    cwd: existingFolder(cwd, env),
    env: {
      ...inherited,
      ...WIRES[entry.protocol].environment({ entry, firing, shellContext: place }),
      HERMES_HOME: home,
      ...(script === null ? {} : { HERMES_HOOK_SCRIPT: script }),
    },
    wall: wallFor?.(entry.sandbox),
  };
}
