/** The port of the wall: what `sandbox/wall/` makes and what starts processes uses (CONTRACT §15). */

/** What a profile in `config.yaml` may say on top of `read-only`. */
export interface CustomProfile {
  /** Paths that may be written: absolute, from `~`, or from the working directory of hermes. Never opens hermes's home. */
  readonly write?: readonly string[] | undefined;
  /** Paths that cannot be read either. */
  readonly hide?: readonly string[] | undefined;
  readonly network?: "none" | "full" | undefined;
}

/** The profiles by name. `auto` is `guard` where the system can do it, else `off`. */
export const WALL_PROFILES = ["auto", "off", "guard", "read-only", "workspace"] as const;

export type WallProfile = (typeof WALL_PROFILES)[number] | CustomProfile;

/** A command as it would be started without a wall. */
export interface WallCommand {
  readonly argv: readonly [string, ...string[]];
  /** What the program sees as its own name; the first of `argv` when absent. */
  readonly argv0?: string | undefined;
  /** The folder that the command starts in. It does not move the workspace. */
  readonly cwd: string;
}

/** How to start a command so that the wall holds. */
export interface WalledCommand {
  readonly argv: readonly [string, ...string[]];
  /**
   * True when the command runs in a process namespace below the process that is started: signals go to the group
   * inside, and the kernel kills whatever is left there when the started process ends.
   */
  readonly ownsProcesses: boolean;
}

/** A wall with one profile. */
export interface Wall {
  /** Gives the command behind the wall; null when the profile is `off`; a problem when the profile cannot be had. */
  enclose(command: WallCommand): Promise<WalledCommand | { readonly problem: string } | null>;
  /** True when commands start behind a wall that keeps hermes's home from them. */
  stands(): Promise<boolean>;
}
