/**
 * Hermes's home and the scripts of its hooks are off limits to the agent's own tools (DESIGN, decisions 12 and 13),
 * also when they do not exist yet and under whatever spelling: nothing there can be written, and some of it not read.
 */
import { isAbsolute } from "node:path";
import { type HomePaths, unreadablePaths } from "#core/home/paths";
import { type GuardSnapshot, relationOf, snapshotGuards } from "./paths.ts";

export interface GuardedFiles {
  /** A sentence when the path (absolute, or relative to `cwd`) may not be read or written, else null. */
  refuse(path: string, cwd: string, access: Access): string | null;
  /** A sentence when a shell command that runs in `cwd` may change guarded files, as well as can be judged; else null. */
  refuseCommand(command: string, cwd: string, options?: CommandCircumstances): Promise<string | null>;
  /** What cannot be read as it is now, as plain data for another process. */
  unreadable(): GuardSnapshot;
}

export type Access = "read" | "write";

/** Absolute paths of the files that hooks run. */
export interface HookScripts {
  /** Those of every configured hook: not to be written. */
  readonly all: readonly string[];
  /** Those of hooks that can block a tool call: not even to be read. */
  readonly gates: readonly string[];
}

export interface CommandCircumstances {
  /** True when the system keeps the home from the command: then its words are judged for other guarded files only. */
  readonly walled?: boolean;
  /** Variables that the command sees besides the environment, or instead of what that says. */
  readonly variables?: Readonly<Record<string, string>>;
}

export interface GuardOptions {
  /** The user's home, what `~` means (core/paths.ts `userHome`). */
  readonly home: string;
  /** The environment that commands see. */
  readonly env: NodeJS.ProcessEnv;
  /** Read again for every check. */
  readonly scripts?: () => HookScripts;
}

const NO_SCRIPTS: HookScripts = { all: [], gates: [] };

/**
 * Makes the guard of some homes: that of this program, and those of agents around it. Links are resolved at each
 * check, so guarded files may appear, vanish and become links meanwhile.
 */
export function createGuardedFiles(homes: readonly HomePaths[], options: GuardOptions): GuardedFiles {
  const { home, env, scripts = () => NO_SCRIPTS } = options;
  const roots = homes.map((each) => each.home);
  const unreadable = () => snapshotGuards(homes.flatMap(unreadablePaths), scripts().gates, home);
  const unwritable = () => snapshotGuards(roots, scripts().all, home);
  const outside = (paths: readonly string[]) =>
    snapshotGuards(
      [],
      paths.filter((path) => !roots.some((root) => isBelow(path, root))),
      home,
    );
  return {
    unreadable,
    refuse(path, cwd, access) {
      // Joined by hand: `join` would take `link/..` away before the link is looked at.
      const absolute = isAbsolute(path) ? path : `${cwd}/${path}`;
      if (relationOf(absolute, unreadable()) === "inside") return `${path} is off limits: ${GUARDS}`;
      if (access === "read" || relationOf(absolute, unwritable()) !== "inside") return null;
      return `${path} is off limits: ${describeHome(roots)}`;
    },
    async refuseCommand(command, cwd, { walled = false, variables = {} } = {}) {
      const snapshot = walled ? outside(scripts().all) : unwritable();
      if (snapshot.guards.length === 0) return null;
      // With the parser, which a machine with a sandbox and without such files never needs.
      const { judgeCommand } = await import("./commands.ts");
      const reason = judgeCommand(command, {
        snapshot,
        unreadable: walled ? outside(scripts().gates) : unreadable(),
        cwd,
        userHome: home,
        hermesHomes: roots,
        env,
        variables,
      });
      if (reason === null) return null;
      const isHome = !walled && relationOf(cwd, snapshot) === "inside";
      return `This command is off limits: ${reason}; ${isHome ? describeHome(roots) : GUARDS}`;
    },
  };
}

function describeHome(roots: readonly string[]): string {
  return (
    `the agent's tools change nothing in hermes's home (${roots.join(", ")}) and no script of its hooks. ` +
    "Write elsewhere; if your project is in the home, move it out or set HERMES_HOME to another folder."
  );
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

const GUARDS = "files that decide what this agent may do are neither shown to its tools nor changed by them.";
