/** The files that the configured hooks run, wherever they are: the agent's tools must not change them. */
import { constants } from "node:fs";
import { dirname, resolve } from "node:path";
import type { HookScripts } from "#agent/guard/files";
import { findScriptAccessProblem } from "#allowlist/script-access";
import { isFile, locate, scriptOf } from "#allowlist/words";
import { declarationOf } from "#core/events";
import type { Config } from "#core/home/config";
import { userHome } from "#core/home/paths";
import { mayAccess } from "#core/may-access";
import type { ShellEntry } from "#sandbox/shell/entries";

export interface ScriptPlace {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Hermes's home. */
  readonly home: string;
}

/** Programs of the system: root may write them, but they guard nobody. */
const SYSTEM_FOLDERS = new Set(["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin"]);

/**
 * The scripts of all entries, switched off and unapproved ones included: the program, the script behind an
 * interpreter, and every argument that is a file. Not those that this user could not write anyway.
 */
export function scriptsOf(entries: readonly ShellEntry[], place: ScriptPlace): HookScripts {
  const of = (some: readonly ShellEntry[]) => [
    ...new Set(some.flatMap((entry) => filesOf(entry, place)).filter((file) => mayBeChanged(file))),
  ];
  return { all: of(entries), gates: of(entries.filter(({ event }) => declarationOf(event).scriptsHidden)) };
}

/**
 * Adds the scripts of the inbound webhooks of now to those of the hooks: what strangers can start must not be the agent's
 * to write.
 */
export function withInboundScripts(
  scripts: () => HookScripts,
  values: () => Config["values"],
  { cwd, env }: Pick<ScriptPlace, "cwd" | "env">,
): () => HookScripts {
  return () => {
    const hooks = scripts();
    const { inbound = [] } = values();
    if (inbound.length === 0) return hooks;
    const files = inbound.map(({ script }) => resolve(cwd, script.replace(/^~(?=\/|$)/, userHome(env))));
    return { ...hooks, all: [...new Set([...hooks.all, ...files.filter((file) => mayBeChanged(file))])] };
  };
}

/** A warning for each enabled entry whose script others could change. */
export function warnOfAccess(entries: readonly ShellEntry[], place: ScriptPlace): readonly string[] {
  return entries.flatMap((entry) => {
    const problem = entry.enabled ? findScriptAccessProblem(entry.argv, place) : null;
    if (problem === null) return [];
    const blocks = entry.failClosed ? " Until then, every matching call is blocked (fail_closed)." : "";
    return [`hooks.${entry.event}[${entry.index}]: ${problem}.${blocks}`];
  });
}

function filesOf({ argv, command, throughShell }: ShellEntry, place: ScriptPlace): readonly string[] {
  // A broken entry may be repaired later, so its files are off limits, too.
  const pieces = argv === null || throughShell ? piecesOf(command ?? "", place) : [];
  const words = [...(argv ?? []), ...pieces];
  const [first] = words;
  if (first === undefined) return [];
  const script = scriptOf(argv ?? words, place);
  const program = locate(first, place);
  const named = words
    .flatMap((word) => [word, word.slice(word.indexOf("=") + 1)])
    .map((word) => resolve(place.cwd, word))
    .filter((path) => isFile(path));
  return [script, program, ...named].filter((path) => path !== null);
}

/** What a shell would make of a command, as far as it names files: operators split it, and known variables are filled in. */
function piecesOf(command: string, { cwd, env, home }: ScriptPlace): readonly string[] {
  const values: Readonly<Record<string, string>> = {
    CLAUDE_PROJECT_DIR: cwd,
    PWD: cwd,
    HOME: userHome(env),
    HERMES_HOME: home,
  };
  return command
    .replaceAll(/['"]/g, "")
    .split(/[\s;|&<>()`]+/)
    .map((piece) =>
      piece
        .replaceAll(/\$\{?([A-Z_]+)\}?/g, (whole, name: string) => values[name] ?? whole)
        .replace(/^~(?=\/)/, userHome(env)),
    );
}

/** Whether this user could change the file, or put another one in its place. */
function mayBeChanged(file: string): boolean {
  if (SYSTEM_FOLDERS.has(dirname(file))) return false;
  return [file, dirname(file)].some((path) => mayAccess(path, constants.W_OK)) || !isFile(file);
}
