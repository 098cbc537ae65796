/** What this machine can do: finds the program that makes walls and tries it once. */
import { execFile } from "node:child_process";
import { constants, accessSync, realpathSync, statSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";

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

/** Arguments of the trial, without a command: the least that every profile needs. */
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

/** What this machine can do, found out once a process. `env` gives the `PATH`. Never rejects. */
export function findWallSupport(env: NodeJS.ProcessEnv): Promise<WallSupport> {
  return (support ??= probe(process.platform, env));
}

/** The same without the memory, for any platform. */
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
  const problem = await new Promise<string | null>((resolve) => {
    const argv = [...TRIALS[name], "/bin/sh", "-c", ":"];
    execFile(program, argv, { timeout: TRIAL_MS, env: {} }, (error, _stdout, stderr) => {
      if (error === null) resolve(null);
      else resolve(stderr.trim().split("\n").at(-1) || error.message);
    });
  });
  if (problem === null) return { backend: { name, program }, reason: null };
  return { backend: null, reason: `${program} does not work here: ${problem}${hintFor(problem)}` };
}

function hintFor(problem: string): string {
  if (!/namespace|uid map|clone|Operation not permitted|Permission denied/i.test(problem)) return "";
  return " (user namespaces may be switched off: sysctl kernel.unprivileged_userns_clone, or an AppArmor profile)";
}

/**
 * A program that an agent cannot have put there: in a folder of the system, or, for a user other than root, in one
 * that this user cannot write. `undefined` when there is none.
 */
export function findTrusted(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const others = (env["PATH"] ?? "").split(delimiter).filter((folder) => isAbsolute(folder) && !mayWriteTo(folder));
  return [...SYSTEM_FOLDERS, ...others].map((folder) => join(folder, name)).find((file) => isProgram(file));
}

function isProgram(file: string): boolean {
  try {
    const real = realpathSync(file);
    accessSync(real, constants.X_OK);
    const trusted = SYSTEM_FOLDERS.includes(dirname(real)) || (!mayWriteTo(real) && !mayWriteTo(dirname(real)));
    return statSync(real).isFile() && trusted;
  } catch {
    // Not there, or not for this user: the next folder may have it.
    return false;
  }
}

function mayWriteTo(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
