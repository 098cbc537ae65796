/** Writes `dashboard.json`, by which senders find the dashboard (CONTRACT §9). */
import { existsSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { readDiscovery } from "#core/forward/discovery";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";

interface Discovery {
  readonly url: string;
  readonly hooks_ingest_token: string;
  readonly pid: number;
  /** ISO-8601, UTC. */
  readonly started_at: string;
}

/** How soon a dashboard writes its file again after a newer one replaced and removed it. */
const RENEW_MS = 5000;

/**
 * Writes the file and replaces an existing one, so that senders find the newest dashboard. It is written again when it
 * was removed. Returns the undo, which also runs at exit. Throws what the file system throws.
 */
export function publishDiscovery(file: string, discovery: Discovery): () => void {
  ensureFolder(dirname(file));
  write(file, discovery);
  const timer = setInterval(() => renew(file, discovery), RENEW_MS).unref();
  const undo = () => {
    clearInterval(timer);
    process.off("exit", undo);
    remove(file, discovery.hooks_ingest_token);
  };
  // Also when the program exits without a stop: senders must not be directed to a closed port.
  process.once("exit", undo);
  return undo;
}

function write(file: string, discovery: Discovery): void {
  writePrivateFile(file, `${JSON.stringify(discovery, null, 2)}\n`);
}

function renew(file: string, discovery: Discovery): void {
  // A deleted home is not created again.
  if (existsSync(file) || !existsSync(dirname(file))) return;
  try {
    write(file, discovery);
  } catch {
    // The home is not writable now; try again soon.
  }
}

/** Removes the file if it still belongs to the dashboard with this token. Never throws. */
function remove(file: string, token: string): void {
  // Any URL: ours may be any address of this machine.
  const { dashboard } = readDiscovery(file, { env: { HERMES_DASHBOARD_TRUST_REMOTE: "1" } });
  if (dashboard?.token !== token) return;
  try {
    unlinkSync(file);
  } catch {
    // Already gone, or the home is not writable: senders find a closed port and look again.
  }
}
