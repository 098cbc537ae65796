/** The port of the wall: created by `sandbox/wall/`, used by code that starts processes (CONTRACT §15). */

/** The settings of a profile in `config.yaml` in addition to `read-only`. */
export interface CustomProfile {
  /** Writable paths: absolute, from `~`, or relative to the working directory of hermes. Never opens hermes's home. */
  readonly write?: readonly string[] | undefined;
  /** Paths that cannot even be read. */
  readonly hide?: readonly string[] | undefined;
  readonly network?: "none" | "full" | undefined;
}

/** The profiles by name. `auto` is `guard` if the system supports it, else `off`. */
export const WALL_PROFILES = ["auto", "off", "guard", "read-only", "workspace"] as const;

export type WallProfile = (typeof WALL_PROFILES)[number] | CustomProfile;

/** A command to start without a wall. */
export interface WallCommand {
  readonly argv: readonly [string, ...string[]];
  /** The program's `argv[0]`; the first of `argv` when absent. */
  readonly argv0?: string | undefined;
  /** The folder that the command starts in. It does not move the workspace. */
  readonly cwd: string;
}

/** How to start a command behind the wall. */
export interface WalledCommand {
  readonly argv: readonly [string, ...string[]];
  /**
   * True when the command runs in a process namespace below the started process: signals go to the group inside, and
   * the kernel kills everything in it when the started process ends.
   */
  readonly ownsProcesses: boolean;
}

/** A wall with one profile. */
export interface Wall {
  /** The command behind the wall; null when the profile is `off`; a problem when the profile is not available. */
  enclose(command: WallCommand): Promise<WalledCommand | { readonly problem: string } | null>;
  /** True when commands start behind a wall that protects hermes's home from them. */
  stands(): Promise<boolean>;
}
