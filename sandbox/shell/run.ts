/** Runs one script for one firing. The {@link Grant} says what it may run. */
import { assertGrant, type Grant } from "#allowlist/grant";
import type { Firing } from "#core/ports/hook";
import { filterEnvironment } from "#sandbox/process/environment";
import { runWithinCap } from "#sandbox/process/cap";
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
export async function runScript({ entry, grant, firing, signal, shellContext }: ShellRun): Promise<ProcessResult> {
  assertGrant(grant, requestOf(entry));
  const wire = WIRES[entry.protocol];
  const argv = wire.argv(entry);
  if (argv === null || entry.argv === null) {
    throw new TypeError(`hooks.${entry.event}[${entry.index}] has no command to run`);
  }
  const prepared = grant.pin === null ? { argv, argv0: null, script: null } : grant.pin(entry.argv);
  if ("problem" in prepared) return notStarted(prepared.problem);
  const { cwd, home, env } = shellContext;
  const wall = shellContext.wallFor?.(entry.sandbox);
  const hidesFiles = wire.namesFiles && ((await wall?.stands()) ?? false);
  const place = hidesFiles ? { ...shellContext, sessionFiles: undefined } : shellContext;
  const { HERMES_HOOK_SCRIPT: _others, ...inherited } = filterEnvironment(env, entry.env);
  return runWithinCap({
    argv: prepared.argv,
    ...(prepared.argv0 === null ? {} : { argv0: prepared.argv0 }),
    cwd: existingFolder(cwd, env),
    env: {
      ...inherited,
      ...wire.environment({ entry, firing, shellContext: place }),
      HERMES_HOME: home,
      ...(prepared.script === null ? {} : { HERMES_HOOK_SCRIPT: prepared.script }),
    },
    // Scripts read lines, and a last line without an end is none to many of them.
    stdin: `${wire.document(firing, place)}\n`,
    timeoutMs: entry.timeoutSeconds * 1000,
    maxOutputBytes: MOST_OUTPUT_BYTES,
    overflow: "kill",
    wall,
    signal,
  });
}
