/** Finds the program that creates walls on this machine, and tries it once. */
import { constants, realpathSync, statSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { mayAccess } from "#core/may-access";

export interface WallBackend {
  readonly name: "bubblewrap" | "sandbox-exec";
  /** The program's absolute path. */
  readonly program: string;
}

export type WallSupport =
  | { readonly backend: WallBackend; readonly reason: null }
  | { readonly backend: null; readonly reason: string };

/** Where the operating system keeps its programs. Other folders of `PATH` are used if this user cannot change them. */
const SYSTEM_FOLDERS = ["/usr/bin", "/bin", "/usr/local/bin", "/run/current-system/sw/bin"];
const TRIAL_MS = 10_000;

/** Arguments of the trial, without a command: the minimum that every profile needs. */
const TRIALS: Readonly<Record<WallBackend["name"], readonly string[]>> = {
  bubblewrap: [
    "--dev-bind",
    "/",
    "/",
    "--unshare-pid",
    "--proc",
    "/proc",
    "--tmpfs",
    "/tmp",
    "--die-with-parent",
    "--",
  ],
  "sandbox-exec": ["-p", "(version 1)(allow default)"],
};

let support: Promise<WallSupport> | undefined;

/** The backend of this machine, determined once per process. `env` has the `PATH`. Never rejects. */
export function findWallSupport(env: NodeJS.ProcessEnv): Promise<WallSupport> {
  return (support ??= probe(process.platform, env));
}

/** The same without the cache, for any platform. */
export async function probe(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): Promise<WallSupport> {
  if (platform === "darwin") return tryOut("sandbox-exec", "/usr/bin/sandbox-exec");
  if (platform !== "linux") return { backend: null, reason: `there is no sandbox for ${platform}` };
  const program = findTrusted("bwrap", env);
  if (program === undefined) {
    return { backend: null, reason: "bubblewrap is not installed (on Debian: apt-get install bubblewrap)" };
  }
  return tryOut("bubblewrap", program);
}

async function tryOut(name: WallBackend["name"], program: string): Promise<WallSupport> {
  const { execa } = await import("execa");
  const argv = [...TRIALS[name], "/bin/sh", "-c", ":"];
  const trial = await execa(program, argv, {
    timeout: TRIAL_MS,
    env: {},
    extendEnv: false,
    stdin: "ignore",
    reject: false,
  });
  const problem = trial.failed
    ? (trial.stderr ?? "").trim().split("\n").at(-1) || (trial.shortMessage ?? "no reason given")
    : null;
  if (problem === null) return { backend: { name, program }, reason: null };
  return { backend: null, reason: `${program} does not work here: ${problem}${hintFor(problem)}` };
}

function hintFor(problem: string): string {
  if (!/namespace|uid map|clone|Operation not permitted|Permission denied/i.test(problem)) return "";
  return " (user namespaces may be switched off: sysctl kernel.unprivileged_userns_clone, or an AppArmor profile)";
}

/**
 * A program that an agent cannot have put there: in a system folder, or, for users other than root, in one that
 * this user cannot write. `undefined` when there is none.
 */
export function findTrusted(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const others = (env["PATH"] ?? "").split(delimiter).filter((folder) => isAbsolute(folder) && !mayWrite(folder));
  return [...SYSTEM_FOLDERS, ...others].map((folder) => join(folder, name)).find((file) => isProgram(file));
}

function isProgram(file: string): boolean {
  try {
    const real = realpathSync(file);
    const trusted = SYSTEM_FOLDERS.includes(dirname(real)) || (!mayWrite(real) && !mayWrite(dirname(real)));
    return statSync(real).isFile() && trusted && mayAccess(real, constants.X_OK);
  } catch {
    // Not there, or not visible to this user: the next folder may have it.
    return false;
  }
}

function mayWrite(path: string): boolean {
  return mayAccess(path, constants.W_OK);
}
