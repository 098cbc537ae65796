/** Names and addresses: where a bind is reached, and which `Host` and `Origin` a request may carry (CONTRACT §9). */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { isLoopback } from "#core/loopback";

/** True for a bind that only this machine reaches. */
export function isLocalBind(host: string): boolean {
  return isLoopback(plain(host));
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

export interface HostGate {
  /** Why a request may not be answered; nothing when it may. */
  readonly refusal: (request: IncomingMessage) => string | undefined;
  /**
   * True for what the dashboard's own page asks, as far as its browser says. Browsers send a cookie to every port of a
   * machine, so a page of another server on it comes with ours.
   */
  readonly isOwnPage: (request: IncomingMessage) => boolean;
}

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

  function refusal({ headersDistinct }: IncomingMessage): string | undefined {
    if (!isOurs(hostOf(headersDistinct).name)) {
      return "this host name is not the dashboard's; dashboard.allowed_hosts in config.yaml adds one";
    }
    const origins = headersDistinct["origin"];
    if (origins !== undefined) {
      const known = origins.length === 1 && isOurs(originOf(origins[0]!).name);
      return known ? undefined : "this page's origin is not the dashboard's";
    }
    // A link on another site may lead here; what that site asks for itself (an image, a script) may not.
    const embedded = headersDistinct["sec-fetch-site"]?.includes("cross-site");
    const follows = headersDistinct["sec-fetch-mode"]?.includes("navigate");
    return embedded && !follows ? "another site's page may not ask here" : undefined;
  }

  function isOwnPage({ method, headersDistinct }: IncomingMessage): boolean {
    const [site = "none"] = headersDistinct["sec-fetch-site"] ?? [];
    if (site !== "none" && site !== "same-origin") return false;
    const [origin] = headersDistinct["origin"] ?? [];
    // Browsers leave it out where a page reads from its own server.
    if (origin === undefined) return method === "GET";
    // Behind a proxy the port is the proxy's.
    return allowed.length > 0 || [hostOf(headersDistinct).port, String(port())].includes(originOf(origin).port);
  }

  return { refusal, isOwnPage };
}

/** A name without brackets and its port; an empty name for what is no host. */
function splitHost(text: string, defaultPort: string): { readonly name: string; readonly port: string } {
  const [, name = "", port = defaultPort] = HOST.exec(text) ?? [];
  return { name: plain(name), port };
}

function hostOf({ host = [] }: NodeJS.Dict<string[]>) {
  return splitHost(host.length === 1 ? host[0]! : "", "80");
}

function originOf(origin: string) {
  const [, scheme = "", rest = ""] = /^(https?):\/\/(.*)$/i.exec(origin) ?? [];
  return splitHost(rest, scheme.toLowerCase() === "https" ? "443" : "80");
}
