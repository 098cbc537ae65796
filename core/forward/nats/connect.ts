/** Connections to NATS, as the sender of events and the dashboard have them. Loads the client when it is first used. */
import type { ConnectionOptions, NatsConnection } from "@nats-io/transport-node";
import { problemOf } from "#core/errors";
import { NATS_DEFAULTS, type NatsSettings } from "#core/home/forward-settings";
import { expandHome } from "#core/home/paths";

/** How long an answer may take. */
export const NATS_ANSWER_MS = 5000;
/** Connecting cannot be cut short when the program ends, so it takes about as long as the end waits at most. */
const CONNECT_MS = 2000;
/** How often an idle connection is checked. */
const PING_MS = 20_000;

export interface NatsOptions {
  readonly settings: NatsSettings;
  /** The home folder of the user, for `~` in paths. */
  readonly userHome: string;
  /** Shown by the server as the name of the connection. */
  readonly name: string;
}

/** The prefix of all subjects and the stream of the settings. */
export function streamOf({ subject, stream }: NatsSettings) {
  return { prefix: subject ?? NATS_DEFAULTS.subject, stream: stream ?? NATS_DEFAULTS.stream };
}

/**
 * Connects to the first server that answers. The connection does not reconnect by itself, so that its requests fail at
 * once when it breaks: who uses it connects again. Rejects with what {@link natsProblem} describes.
 */
export async function connectNats({ settings, userHome, name }: NatsOptions): Promise<NatsConnection> {
  const { connect } = await import("@nats-io/transport-node");
  const { servers, user, password, token } = settings;
  const options: ConnectionOptions = {
    servers: [...servers],
    name,
    timeout: CONNECT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    reconnect: false,
    noRandomize: true,
    noAsyncTraces: true,
  };
  if (user !== undefined) Object.assign(options, { user, pass: password });
  if (token !== undefined) options.token = token;
  const tls = tlsOptions(settings, userHome);
  if (tls !== undefined) options.tls = tls;
  return connect(options);
}

function tlsOptions({ tls, servers }: NatsSettings, userHome: string): ConnectionOptions["tls"] | undefined {
  if (tls === undefined || tls === false) return servers.some((url) => url.startsWith("tls://")) ? {} : undefined;
  if (tls === true) return {};
  const files = { caFile: tls.ca, certFile: tls.cert, keyFile: tls.key };
  const paths = Object.entries(files).flatMap(([key, file]) =>
    file === undefined ? [] : [[key, expandHome(file, userHome)]],
  );
  return Object.fromEntries(paths) as Record<string, string>;
}

/** True for an error of this name, or one that was caused by it. Errors are recognised by their names. */
export function isNamed(error: unknown, name: string): boolean {
  if (typeof error !== "object" || error === null) return false;
  const found = error as { readonly name?: unknown; readonly cause?: unknown };
  return found.name === name || isNamed(found.cause, name);
}

const PHRASES: Readonly<Record<string, string>> = {
  AuthorizationError: "it refuses the user, password or token of forward.nats",
  JetStreamNotEnabled: "JetStream is not enabled there (nats-server needs -js)",
  TimeoutError: "it did not answer in time",
};

/** What failed, as a phrase. */
export function natsProblem(error: unknown): string {
  if (error === undefined) return "the connection was closed";
  const name = Object.keys(PHRASES).find((one) => isNamed(error, one));
  if (name !== undefined) return PHRASES[name]!;
  return isNamed(error, "JetStreamApiError") ? `JetStream answered: ${problemOf(error)}` : problemOf(error);
}
