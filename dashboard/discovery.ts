/** `dashboard.json`: how processes that send events find the dashboard (CONTRACT §9). */
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

/** How soon a dashboard is found again whose file a newer one replaced and took away. */
const RENEW_MS = 5000;

/**
 * Writes the file, in the place of whatever was there: the newest dashboard is the one that is found. It is written
 * again when it is gone. Gives the undo, which the end of the program also does. Throws what the file system throws.
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
  // Also where the program ends without a stop: senders must not be sent to a closed port.
  process.once("exit", undo);
  return undo;
}

function write(file: string, discovery: Discovery): void {
  writePrivateFile(file, `${JSON.stringify(discovery, null, 2)}\n`);
}

function renew(file: string, discovery: Discovery): void {
  // A home that is gone is not made again.
  if (existsSync(file) || !existsSync(dirname(file))) return;
  try {
    write(file, discovery);
  } catch {
    // The home takes no writes for now: the next time comes soon.
  }
}

/** Removes the file if it is still that of the dashboard with this token; a newer dashboard's stays. Never throws. */
function remove(file: string, token: string): void {
  // Wherever it points: ours may point to any address of this machine.
  const { dashboard } = readDiscovery(file, { env: { HERMES_DASHBOARD_TRUST_REMOTE: "1" } });
  if (dashboard?.token !== token) return;
  try {
    unlinkSync(file);
  } catch {
    // Gone already, or the home takes no changes: senders find a closed port and look again.
  }
}
