/** `dashboard.json`: how processes that send events find the dashboard (CONTRACT §9). */
import { renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { readDiscovery } from "#core/discovery";
import { ensureFolder } from "#core/paths";
import { newSecret } from "./tokens.ts";

interface Discovery {
  readonly url: string;
  readonly hooks_ingest_token: string;
  readonly pid: number;
  /** ISO-8601, UTC. */
  readonly started_at: string;
}

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

/** Removes the file if it is still that of the dashboard with this token; a newer dashboard's stays. Never throws. */
export function removeDiscovery(file: string, token: string): void {
  // Wherever it points: ours may point to any address of this machine.
  const { dashboard } = readDiscovery(file, { env: { HERMES_DASHBOARD_TRUST_REMOTE: "1" } });
  if (dashboard?.token !== token) return;
  try {
    unlinkSync(file);
  } catch {
    // Gone already, or the home takes no changes: senders find a closed port and look again.
  }
}
