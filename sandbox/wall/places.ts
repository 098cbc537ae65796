/** Looks up the real paths for a wall whenever a command starts, because they may change while hermes runs. */
import { constants, readdirSync, realpathSync, statSync, type Dirent } from "node:fs";
import { basename, join, resolve, sep } from "node:path";
import { ensureFolder, HIDDEN_IN_HOME } from "#core/home/paths";
import { mayAccess } from "#core/may-access";
import type { WallCommand } from "#core/ports/wall";
import { isBelowAny, type EnclosingProfile, type Place, type WallPlaces } from "./plan.ts";

/** The fixed facts about a wall. */
export interface WallSettings {
  /** Hermes's home as it is spelled. */
  readonly home: string;
  /** The working directory of hermes. */
  readonly workspace: string;
  /** The user's home directory, `~`. */
  readonly userHome: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A place that cannot be guarded or opened: the profile cannot be used. */
export class UnguardablePlace extends Error {}

/** How deep links in the home are followed, and how many entries are checked. */
const LINK_DEPTH = 3;
const MOST_ENTRIES = 2000;

/** Finds the places that the profile is about. Throws {@link UnguardablePlace} when the home could be swapped, or a path to write is missing. */
export function findPlaces(settings: WallSettings, profile: EnclosingProfile, command: WallCommand): WallPlaces {
  const custom = typeof profile === "object" ? profile : undefined;
  // `guard` hides none of them, so they are not looked up.
  const strict = profile !== "guard";
  const { workspace, userHome, env } = settings;
  const home = realHome(settings.home);
  const entries = home === null ? [] : entriesOf(home);
  const linked = home === null ? [] : linkedFrom(home, { userHome, workspace });
  const real = (path: string) => realOrNull(expand(path, settings));
  return {
    home,
    readable: entries.filter(({ name }) => !HIDDEN_IN_HOME.test(name)).map(({ name }) => join(home ?? "", name)),
    linked,
    workspace: realOrNull(workspace) ?? workspace,
    needed: strict ? neededBy(command) : [],
    secrets: strict ? secretPlaces(userHome, env) : [],
    temporary: [...new Set(["/tmp", "/var/tmp"].map(realOrNull))].filter((path) => path !== null),
    write: (custom?.write ?? []).map((path) => demand(real(path), path)),
    hide: (custom?.hide ?? []).map((path) => placeOf(expand(path, settings))).filter((place) => place !== null),
    mayWrite: (folder) => mayAccess(folder, constants.W_OK),
  };
}

function demand(real: string | null, path: string): string {
  if (real === null) throw new UnguardablePlace(`${path} does not exist`);
  return real;
}

/** The home's real path; null when it does not exist and cannot be created. */
function realHome(spelled: string): string | null {
  try {
    // The command could otherwise create the missing home, including its guards.
    ensureFolder(spelled);
  } catch {
    if (realOrNull(spelled) === null) return null;
  }
  const real = realpathSync(spelled);
  const link = swappableLink(resolve(spelled));
  if (link === null) return real;
  throw new UnguardablePlace(
    `${link} is a symbolic link that this user can replace, so ${spelled} cannot be guarded. ` +
      `Set HERMES_HOME to ${real}`,
  );
}

/** The first symbolic link on the way to a path that this user can replace, or null. */
function swappableLink(path: string): string | null {
  let real = sep as string;
  for (const part of path.split(sep).filter((name) => name !== "")) {
    const next = join(real, part);
    const target = realpathSync(next);
    if (target !== next && mayAccess(real, constants.W_OK)) return next;
    real = target;
  }
  return null;
}

/** The targets of symbolic links that lead out of the home. */
function linkedFrom(home: string, { userHome, workspace }: { userHome: string; workspace: string }): readonly string[] {
  const found = new Set<string>();
  const budget = { left: MOST_ENTRIES };
  const visit = (folder: string, depth: number): void => {
    for (const entry of entriesOf(folder)) {
      if (budget.left-- <= 0) return;
      const path = join(folder, entry.name);
      if (entry.isSymbolicLink()) {
        const target = realOrNull(path);
        if (target === null) {
          if (depth === 1) throw new UnguardablePlace(`${path} is a symbolic link to nothing. Remove it`);
          continue;
        }
        // A link to the user's home directory or to the workspace would make all of it read-only.
        if (isBelowAny(target, [home]) || isBelowAny(userHome, [target]) || isBelowAny(workspace, [target])) continue;
        found.add(target);
      } else if (entry.isDirectory() && depth < LINK_DEPTH && entry.name !== "node_modules") visit(path, depth + 1);
    }
  };
  visit(home, 1);
  return [...found];
}

/** A command in a folder for temporary files keeps seeing its own folder and the files that its words name. */
function neededBy({ argv, cwd }: WallCommand): readonly string[] {
  const files = argv.map((word) => resolve(cwd, word)).filter((path) => basename(path) !== "" && isFile(path));
  return [...new Set([cwd, ...files])].map(realOrNull).filter((path) => path !== null);
}

/** Keys of the user, and sockets of services that would run a command outside the wall. */
function secretPlaces(userHome: string, env: NodeJS.ProcessEnv): readonly Place[] {
  const uid = process.getuid?.() ?? 0;
  const runtime = env["XDG_RUNTIME_DIR"] ?? `/run/user/${uid}`;
  const dockerHost = /^unix:\/\/(.+)$/.exec(env["DOCKER_HOST"] ?? "")?.[1];
  const paths = [
    ...[".ssh", ".aws", ".gnupg", ".docker/run", ".colima"].map((name) => join(userHome, name)),
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/podman",
    "/run/containerd/containerd.sock",
    ...["docker.sock", "podman", "bus", "systemd", "gnupg"].map((name) => join(runtime, name)),
    "/run/systemd/private",
    "/run/dbus/system_bus_socket",
    join(env["TMUX_TMPDIR"] ?? "/tmp", `tmux-${uid}`),
    ...(dockerHost === undefined ? [] : [dockerHost]),
  ];
  const places = new Map(paths.flatMap((path) => placesOf(path)).map((place) => [place.path, place]));
  return [...places.values()];
}

function placesOf(path: string): readonly Place[] {
  const place = placeOf(path);
  return place === null ? [] : [place];
}

function placeOf(path: string): Place | null {
  const real = realOrNull(path);
  if (real === null) return null;
  return { path: real, folder: statSync(real, { throwIfNoEntry: false })?.isDirectory() ?? false };
}

function expand(path: string, { userHome, workspace }: WallSettings): string {
  if (path === "~") return userHome;
  return path.startsWith("~/") ? join(userHome, path.slice(2)) : resolve(workspace, path);
}

function realOrNull(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    // It does not exist or is not visible to this user, and so not to a command.
    return null;
  }
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    // Not a path: a word with a NUL, or one below a file.
    return false;
  }
}
