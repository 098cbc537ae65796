/** `dashboard.json`: how processes that send events find the dashboard (CONTRACT §9). */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { ensureFolder } from "#core/paths";
import { newSecret } from "./tokens.ts";

export interface Discovery {
  readonly url: string;
  readonly hooks_ingest_token: string;
  readonly pid: number;
  /** ISO-8601, UTC. */
  readonly started_at: string;
}

const LONGEST_FILE = 64 * 1024;

/**
 * Writes the file whole, readable for its owner alone, in the place of whatever was there: the newest dashboard is the
 * one that is found. Throws what the file system throws.
 */
export function writeDiscovery(file: string, discovery: Discovery): void {
  ensureFolder(dirname(file));
  const temporary = `${file}.${process.pid}.${newSecret().slice(0, 8)}.tmp`;
  try {
    writeFileSync(temporary, `${JSON.stringify(discovery, null, 2)}\n`, { flag: "wx", mode: 0o600 });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** What the file says; undefined when there is none, or none that could be a dashboard's. */
function readDiscovery(file: string): Discovery | undefined {
  let handle: number | undefined;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { size } = fstatSync(handle);
    return size > LONGEST_FILE ? undefined : (JSON.parse(readFileSync(handle, "utf8")) as Discovery);
  } catch {
    // Missing, somebody else's, or no JSON: there is no dashboard to be found in it.
    return undefined;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Removes the file if it is still that of the dashboard with this token; a newer dashboard's stays. Never throws. */
export function removeDiscovery(file: string, token: string): void {
  if (readDiscovery(file)?.hooks_ingest_token !== token) return;
  try {
    unlinkSync(file);
  } catch {
    // Gone already, or the home takes no changes: senders find a closed port and look again.
  }
}
