/** The private copies of approved scripts: `approved-hooks/<sha256>/<name>`, mode 0500 in folders of mode 0700. */
import { chmodSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { problemOf } from "#core/errors";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";
import { readRegularFile } from "#core/regular-file";
import { MOST_PINNED_BYTES } from "./fingerprint.ts";
import { sha256Of } from "./hash.ts";

export interface Original {
  readonly path: string;
  readonly content: Buffer;
  readonly sha256: string;
}

/**
 * The path of a script's copy, which is created if it is missing or damaged; its hash is checked each time.
 * Throws an Error whose message is a clause when there is no copy and none can be created.
 */
export function provideCopy(folder: string, original: Original): string {
  const home = join(folder, original.sha256);
  const path = join(home, basename(original.path));
  try {
    demandPrivate(folder);
    demandPrivate(home);
    if (!holds(path, original.sha256)) writePrivateFile(path, original.content, { mode: 0o500 });
    return path;
  } catch (error) {
    throw new Error(`its private copy ${path} cannot be created: ${problemOf(error)}`, { cause: error });
  }
}

/** Removes the copies of scripts that no approval refers to any more. Never throws. */
export function pruneCopies(folder: string, approved: ReadonlySet<string>): void {
  try {
    for (const name of readdirSync(folder)) {
      if (/^[0-9a-f]{64}$/.test(name) && !approved.has(name)) rmSync(join(folder, name), { recursive: true });
    }
  } catch {
    // There are none, or they cannot be removed; without an approval they do not run.
  }
}

/** Creates the folder and makes sure that only this user can change its contents. */
function demandPrivate(folder: string): void {
  ensureFolder(folder);
  const stats = lstatSync(folder);
  if (!stats.isDirectory() || stats.uid !== (process.geteuid?.() ?? stats.uid)) {
    throw new Error(`${folder} is not a folder owned by you`);
  }
  if ((stats.mode & 0o077) !== 0) chmodSync(folder, 0o700);
}

function holds(path: string, sha256: string): boolean {
  const reading = readRegularFile(path, { mostBytes: MOST_PINNED_BYTES, ours: true });
  return reading.kind === "read" && sha256Of(reading.content) === sha256;
}
