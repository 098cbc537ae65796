/** Names and addresses: where a bind is reached, and which `Host` and `Origin` a request may carry (CONTRACT §9). */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

/** True for a bind that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const name = plain(host);
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}

/** The address under which a bind is reached from this machine: a bind to everything is reached on loopback. */
export function reachableUrl(host: string, port: number): string {
  const name = plain(host);
  if (name === "0.0.0.0") return `http://127.0.0.1:${port}`;
  if (isIP(name) !== 6) return `http://${name}:${port}`;
  // `::` in any spelling: its groups are all zero.
  return /^[0:]+$/.test(name) ? `http://[::1]:${port}` : `http://[${name}]:${port}`;
}

/** Lower case, no brackets around an IPv6 address, no dot at the end, no zone. */
function plain(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "")
    .replace(/%.*$/, "");
}

/** A host and perhaps a port, and nothing else: no user, no path. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i;
const MACHINE_ADDRESSES_MS = 10_000;

export interface HostRules {
  /** What the server is bound to. */
  readonly host: string;
  readonly port: () => number;
  /** `dashboard.allowed_hosts`. */
  readonly allowed: readonly string[];
}

/** Says why a request may not be answered, or nothing. */
export type HostGate = (request: IncomingMessage) => string | undefined;

/**
 * Makes the check that every request passes. A page of another site reaches a server on loopback too, by a form or by a
 * name that its owner points there: such a request carries that site's `Origin`, or that name as its `Host`.
 */
export function createHostGate({ host, port, allowed }: HostRules): HostGate {
  const names = new Set(["localhost", plain(host), ...allowed.map((name) => plain(HOST.exec(name)?.[1] ?? name))]);
  let own = new Set<string>();
  let readAt = Number.NEGATIVE_INFINITY;

  function machineAddresses(): ReadonlySet<string> {
    if (performance.now() - readAt < MACHINE_ADDRESSES_MS) return own;
    const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    own = new Set(all.map(({ address }) => plain(address)));
    readAt = performance.now();
    return own;
  }

  const isOurs = (name: string) => names.has(name) || isLoopback(name) || machineAddresses().has(name);

  function checkOrigin(origin: string, hostPort: string): string | undefined {
    const match = /^https?:\/\/(.*)$/i.exec(origin);
    const [, name = "", originPort = /^https/i.test(origin) ? "443" : "80"] = HOST.exec(match?.[1] ?? "") ?? [];
    const known = name !== "" && isOurs(plain(name));
    // Another server on this machine is another origin. Behind a proxy the port is the proxy's.
    if (known && (allowed.length > 0 || originPort === hostPort || originPort === String(port()))) return undefined;
    return "this page's origin is not the dashboard's";
  }

  return ({ headersDistinct }) => {
    const hosts = headersDistinct["host"] ?? [];
    const [, name, hostPort = "80"] = (hosts.length === 1 && HOST.exec(hosts[0]!)) || [];
    if (name === undefined || !isOurs(plain(name))) {
      return "this host name is not the dashboard's; dashboard.allowed_hosts in config.yaml adds one";
    }
    const [origin] = headersDistinct["origin"] ?? [];
    if (origin !== undefined) return checkOrigin(origin, hostPort);
    // A link on another site may lead here; what that site asks for itself (an image, a script) may not.
    const embedded = headersDistinct["sec-fetch-site"]?.includes("cross-site");
    const follows = headersDistinct["sec-fetch-mode"]?.includes("navigate");
    return embedded && !follows ? "another site's page may not ask here" : undefined;
  };
}
