import { HermesError, problemOf } from "#core/errors";

export interface ListenTarget {
  readonly platform: string;
  readonly host: string;
  readonly port: number;
  /** The settings that name the host and the port; the same one for both where it has both. */
  readonly hostKey: string;
  readonly portKey: string;
}

/** The error of an adapter's server that cannot listen, which says what to change: HERMES_ADAPTER_START. */
export function notListening(thrown: unknown, target: ListenTarget): HermesError {
  const { platform, host, port, hostKey, portKey } = target;
  const { code } = thrown as { code?: unknown };
  const at = `gateway.platforms.${platform}`;
  const both = [...new Set([hostKey, portKey])].map((key) => `${at}.${key}`).join(" and ");
  const problem =
    code === "EADDRINUSE"
      ? `port ${port} on ${host} is in use. Set ${at}.${portKey} to another one.`
      : code === "EACCES"
        ? `this user cannot open port ${port}. Set ${at}.${portKey} to one above 1023.`
        : code === "EADDRNOTAVAIL" || code === "ENOTFOUND"
          ? `${host} is not an address of this machine. Set ${at}.${hostKey} to one that is.`
          : `${problemOf(thrown)} (check ${both})`;
  return new HermesError("HERMES_ADAPTER_START", { platform, problem });
}
