/**
 * Reads `dashboard.json`, with the dashboard's URL and token, for senders (CONTRACT §9). Whoever can write this file
 * gets all of the user's events, so it is only used when nobody else can have written it.
 */
import { isLoopback } from "#core/loopback";
import { readRegularFile } from "#core/regular-file";
import { isMapping } from "#core/mapping";

/** A dashboard to send to. */
export interface DiscoveredDashboard {
  /** `http://host:port`, with the path before `/api` if there is one, without a trailing slash. */
  readonly url: string;
  readonly token: string;
  /** The same for two reads of the same dashboard, different after it was restarted. */
  readonly identity: string;
}

/** The file's content: a dashboard, nothing (`problem` null), or something that is refused. */
export type DiscoveryReading =
  | { readonly dashboard: DiscoveredDashboard; readonly problem: null }
  | { readonly dashboard: null; readonly problem: string | null };

export interface DiscoveryOptions {
  /** `HERMES_DASHBOARD_TRUST_REMOTE=1` allows any URL. */
  readonly env: NodeJS.ProcessEnv;
}

const MOST_BYTES = 64 * 1024;
const NOTHING: DiscoveryReading = { dashboard: null, problem: null };

/**
 * Reads the discovery file, whatever its state. A problem is a full sentence with the file and how to fix it. Never
 * throws.
 */
export function readDiscovery(file: string, { env }: DiscoveryOptions): DiscoveryReading {
  const reading = readRegularFile(file, { mostBytes: MOST_BYTES, ours: true });
  if (reading.kind === "absent") return NOTHING;
  if (reading.kind === "refused") return refuse(file, `it ${reading.problem}. Remove it and start the dashboard again`);
  const mode = reading.stats.mode & 0o777;
  if ((mode & 0o077) !== 0) {
    const shown = mode.toString(8).padStart(4, "0");
    return refuse(
      file,
      `it contains a token, but other users have access to it (mode ${shown}). Start the dashboard again, or run: chmod 600 ${file}`,
    );
  }
  let document: unknown;
  try {
    document = JSON.parse(reading.content.toString("utf8"));
  } catch {
    return refuse(file, "it is incomplete or not JSON. Start the dashboard again");
  }
  return judge(file, document, env);
}

function judge(file: string, document: unknown, env: NodeJS.ProcessEnv): DiscoveryReading {
  if (!isMapping(document)) {
    return refuse(file, "it is not a JSON object. Start the dashboard again");
  }
  const { url, hooks_ingest_token: token, pid, started_at } = document;
  if (typeof url !== "string") return refuse(file, 'it has no "url". Start the dashboard again');
  if (typeof token !== "string" || !/^[\x21-\x7e]{1,4096}$/.test(token)) {
    return refuse(file, 'it has no valid "hooks_ingest_token". Start the dashboard again');
  }
  const address = URL.canParse(url) ? new URL(url) : null;
  if (address === null || !/^https?:$/.test(address.protocol) || address.username !== "" || address.password !== "") {
    return refuse(file, 'its "url" is not a valid dashboard URL. Start the dashboard again');
  }
  const trusted = env["HERMES_DASHBOARD_TRUST_REMOTE"] === "1";
  if (!trusted && !(address.protocol === "http:" && isLoopback(address.hostname))) {
    const { origin } = address;
    return refuse(
      file,
      `it points to ${origin}, but only http on a loopback address is trusted. Set HERMES_DASHBOARD_TRUST_REMOTE=1 to allow that`,
    );
  }
  const clean = `${address.origin}${address.pathname}`.replace(/\/+$/, "");
  const identity = JSON.stringify([clean, token, pid, started_at]);
  return { dashboard: { url: clean, token, identity }, problem: null };
}

function refuse(file: string, problem: string): DiscoveryReading {
  return { dashboard: null, problem: `${file} is ignored: ${problem}.` };
}
