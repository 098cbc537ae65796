/** The sandbox profiles of a configuration, as walls for the tools and hooks of a host. */
import type { Config } from "#core/home/config";
import type { Wall, WallCommand, WallProfile } from "#core/ports/wall";
import { userHome } from "#core/home/paths";

export interface WallsOptions {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  /** Takes the sentence that says why `auto` uses no sandbox. */
  readonly note?: ((sentence: string) => void) | undefined;
}

/** Creates the wall of a profile. Its code is loaded for the first command that needs one. */
export function createWalls({ home, env, note }: WallsOptions): (profile: WallProfile) => Wall {
  const workspace = process.cwd();
  const made = new Map<string, Wall>();
  const make = (profile: WallProfile): Wall => {
    if (profile === "off") return OPEN;
    let wall: Promise<Wall> | undefined;
    const load = () =>
      (wall ??= import("#sandbox/wall/wall").then(({ createWall }) =>
        createWall({ profile, home, workspace, userHome: userHome(env), env, note }),
      ));
    return {
      enclose: async (command: WallCommand) => (await load()).enclose(command),
      stands: async () => (await load()).stands(),
    };
  };
  return (profile) => {
    const key = JSON.stringify(profile);
    const wall = made.get(key) ?? make(profile);
    made.set(key, wall);
    return wall;
  };
}

/** The walls of shell hooks: of the entry's profile, or of `sandbox.hooks` for null. */
export function wallsOfHooks(config: Config, options: WallsOptions): (profile: WallProfile | null) => Wall {
  const walls = createWalls(options);
  return (profile) => walls(profile ?? config.values.sandbox?.hooks ?? "off");
}

/** The walls of inbound scripts: of the hook's profile, or of `sandbox.inbound` for null. */
export function wallsOfInbound(config: Config, options: WallsOptions): (profile: WallProfile | null) => Wall {
  const walls = createWalls(options);
  return (profile) => walls(profile ?? config.values.sandbox?.inbound ?? "off");
}

const OPEN: Wall = { enclose: () => Promise.resolve(null), stands: () => Promise.resolve(false) };
