/**
 * The files that decide what the agent may do are off limits to its own tools (DESIGN, decision 12), also when they
 * do not exist yet and under whatever spelling.
 */
import { dirname, isAbsolute } from "node:path";
import { judgeCommand } from "./commands.ts";
import { type GuardSnapshot, relationOf, snapshotGuards } from "./paths.ts";

export interface GuardedFiles {
  /** A sentence when the path (absolute, or relative to `cwd`) is guarded or lies below a guarded folder, else null. */
  refuse(path: string, cwd: string): string | null;
  /** A sentence when a shell command that runs in `cwd` names guarded files, as well as can be judged; else null. */
  refuseCommand(command: string, cwd: string, options?: CommandCircumstances): string | null;
  /** The guards as they stand now, as plain data for another process. */
  snapshot(): GuardSnapshot;
}

export interface CommandCircumstances {
  /** True when the system keeps the home from the command: then its words are judged for other guarded files only. */
  readonly walled?: boolean;
}

export interface GuardOptions {
  /** The user's home, what `~` means (core/paths.ts `userHome`). */
  readonly home: string;
  /** The environment that commands see. */
  readonly env: NodeJS.ProcessEnv;
  /** More guarded paths, such as the scripts of approved hooks; read again for every check. */
  readonly extra?: () => readonly string[];
}

/**
 * Makes the guard. `paths` are absolute: those of core/paths.ts `guardedPaths`, all directly in the program's home.
 * Links are resolved at each judgement, so guards may appear, vanish and become links meanwhile.
 */
export function createGuardedFiles(paths: readonly string[], options: GuardOptions): GuardedFiles {
  const { home, env, extra } = options;
  const snapshot = () => snapshotGuards(paths, extra?.() ?? [], home);
  const outside = () =>
    snapshotGuards(
      [],
      (extra?.() ?? []).filter((path) => !isBelow(path, hermesHome)),
      home,
    );
  const hermesHome = paths[0] === undefined ? undefined : dirname(paths[0]);
  return {
    snapshot,
    refuse(path, cwd) {
      // Joined by hand: `join` would take `link/..` away before the link is looked at.
      const absolute = isAbsolute(path) ? path : `${cwd}/${path}`;
      return relationOf(absolute, snapshot()) === "inside" ? `${path} is off limits: ${WHY}` : null;
    },
    refuseCommand(command, cwd, { walled = false } = {}) {
      const reason = judgeCommand(command, {
        snapshot: walled ? outside() : snapshot(),
        cwd,
        userHome: home,
        hermesHome,
        env,
      });
      return reason === null ? null : `This command is off limits: ${reason}; ${WHY}`;
    },
  };
}

function isBelow(path: string, folder: string | undefined): boolean {
  return folder !== undefined && (path === folder || path.startsWith(`${folder}/`));
}

const WHY = "files that decide what this agent may do are neither shown to its tools nor changed by them.";
