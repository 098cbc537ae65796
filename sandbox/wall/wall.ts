/**
 * Protects hermes's home from a command with the operating system's sandbox (DESIGN, decision 13). A profile becomes a
 * plan of mounts, and the plan becomes arguments of the backend, which starts the command.
 */
import type { Wall, WallCommand, WalledCommand, WallProfile } from "#core/ports/wall";
import { findWallSupport, type WallBackend } from "./backend.ts";
import { bubblewrapArguments } from "./bubblewrap.ts";
import { findPlaces, UnguardablePlace, type WallSettings } from "./places.ts";
import { planWall, type EnclosingProfile, type WallPlaces } from "./plan.ts";
import { seatbeltProfile } from "./seatbelt.ts";

export interface WallOptions extends WallSettings {
  readonly profile: WallProfile;
  /** Called once with the reason why `auto` means `off` here. */
  readonly note?: ((sentence: string) => void) | undefined;
}

/** Creates a wall. Nothing is looked up before the first command. */
export function createWall(options: WallOptions): Wall {
  const { profile } = options;
  let noted = false;

  function unavailable(reason: string): { problem: string } | null {
    if (profile !== "auto") return { problem: `the sandbox profile ${nameOf(profile)} cannot be used: ${reason}` };
    if (!noted) options.note?.(`Commands of the agent run without a sandbox: ${reason}.`);
    noted = true;
    return null;
  }

  async function encloseCommand(command: WallCommand): ReturnType<Wall["enclose"]> {
    if (profile === "off") return null;
    const { backend, reason } = await findWallSupport(options.env);
    if (backend === null) return unavailable(reason);
    const enclosing = profile === "auto" ? "guard" : profile;
    try {
      return enclose({ backend, profile: enclosing, command, places: findPlaces(options, enclosing, command) });
    } catch (error) {
      if (error instanceof UnguardablePlace) return unavailable(error.message);
      throw error;
    }
  }

  return {
    enclose: encloseCommand,
    async stands() {
      const enclosed = await encloseCommand({ argv: ["true"], cwd: options.workspace });
      return enclosed !== null && !("problem" in enclosed);
    },
  };
}

interface Enclosure {
  readonly backend: WallBackend;
  readonly profile: EnclosingProfile;
  readonly command: WallCommand;
  readonly places: WallPlaces;
}

function enclose({ backend, profile, command, places }: Enclosure): WalledCommand {
  const plan = planWall(profile, places);
  const argv = named(command);
  if (backend.name === "bubblewrap") {
    const root = process.geteuid?.() === 0;
    const options = bubblewrapArguments({ plan, cwd: command.cwd, root });
    return { argv: [backend.program, ...options, "--", ...argv], ownsProcesses: true };
  }
  const { home, readable, temporary } = places;
  const rules = seatbeltProfile({ plan, home, readable, temporary: temporary[0] ?? "/private/tmp" });
  return { argv: [backend.program, "-p", rules, ...argv], ownsProcesses: false };
}

/** The command with its own `argv[0]`: the backends cannot set it, bash can. */
function named({ argv, argv0 }: WallCommand): readonly string[] {
  if (argv0 === undefined || argv0 === argv[0]) return argv;
  return ["/bin/bash", "-c", 'exec -a "$0" "$@"', argv0, ...argv];
}

/** The profile's name for users. */
export function nameOf(profile: WallProfile): string {
  return typeof profile === "string" ? `"${profile}"` : "of its own";
}
