/** Names and addresses: the URL of a bind, and which `Host` and `Origin` a request may have (CONTRACT §9). */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { HermesError } from "#core/errors";
import { canonicalAddress } from "#core/addresses";
import { isLoopback } from "#core/loopback";

const DEFAULT_HOST = "127.0.0.1";

/**
 * The address to listen on, without the brackets of a URL. Throws HERMES_USAGE when it is empty, and
 * HERMES_DASHBOARD_EXPOSED when other machines can reach it, unless `insecure`.
 */
export function bindAddress(given: string = DEFAULT_HOST, insecure = false): string {
  const host = given.replace(/^\[(.*)\]$/, "$1");
  if (host.trim() === "") throw new HermesError("HERMES_USAGE", { problem: NO_HOST });
  if (!isLocalBind(host) && !insecure) throw new HermesError("HERMES_DASHBOARD_EXPOSED", { host });
  return host;
}

const NO_HOST = "The address to listen on is empty (--host, or dashboard.host in config.yaml).";

/** True for a bind that only this machine can reach. */
export function isLocalBind(host: string): boolean {
  return isLoopback(plain(host));
}

/** The URL of a bind from this machine: loopback for a bind to all addresses. */
export function reachableUrl(host: string, port: number): string {
  const name = boundName(host);
  if (name === "0.0.0.0") return `http://127.0.0.1:${port}`;
  if (isIP(name) !== 6) return `http://${name}:${port}`;
  // `::` in any spelling: all groups are zero.
  return /^[0:]+$/.test(name) ? `http://[::1]:${port}` : `http://[${name}]:${port}`;
}

/** The bind as clients name it: the system reads `0` as 0.0.0.0, and URLs have it in that spelling. */
function boundName(host: string): string {
  const name = canonical(host);
  return canonicalAddress(URL.parse(`http://${name}`)?.hostname ?? "") ?? name;
}

/** An address in one spelling: an IPv4 address that is written as an IPv6 one is that IPv4 address. */
function canonical(host: string): string {
  const name = plain(host);
  return canonicalAddress(name) ?? name;
}

/** Lower case, no brackets around an IPv6 address, no dot at the end, no zone. */
function plain(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "")
    .replace(/%.*$/, "");
}

/** A host and an optional port, without user or path. */
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
  /** Why a request is refused; undefined when it is allowed. */
  readonly refusal: (request: IncomingMessage) => string | undefined;
  /**
   * True for requests of the dashboard's own page, according to the browser's headers. Browsers send a cookie to every
   * port of a host, so a page of another server on this host sends ours, too.
   */
  readonly isOwnPage: (request: IncomingMessage) => boolean;
}

/**
 * Creates the check for every request. A page of another site can also reach a server on loopback, by a form or by a
 * DNS name that points there: such a request has that site's `Origin`, or that name as its `Host`.
 */
export function createHostGate({ host, port, allowed }: HostRules): HostGate {
  const names = new Set([
    "localhost",
    boundName(host),
    ...allowed.map((name) => canonical(HOST.exec(name)?.[1] ?? name)),
  ]);
  let own = new Set<string>();
  let readAt = Number.NEGATIVE_INFINITY;

  function machineAddresses(): ReadonlySet<string> {
    if (performance.now() - readAt < MACHINE_ADDRESSES_MS) return own;
    const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    own = new Set(all.map(({ address }) => canonical(address)));
    readAt = performance.now();
    return own;
  }

  const isOurs = (name: string) => names.has(name) || isLoopback(name) || machineAddresses().has(name);

  function refusal({ headersDistinct }: IncomingMessage): string | undefined {
    if (!isOurs(hostOf(headersDistinct).name)) {
      return "unknown host name; add it to dashboard.allowed_hosts in config.yaml";
    }
    const origins = headersDistinct["origin"];
    if (origins !== undefined) {
      const known = origins.length === 1 && isOurs(originOf(origins[0]!).name);
      return known ? undefined : "requests from this origin are not allowed";
    }
    // A link on another site may lead here, but its other requests (an image, a script) may not.
    const embedded = headersDistinct["sec-fetch-site"]?.includes("cross-site");
    const follows = headersDistinct["sec-fetch-mode"]?.includes("navigate");
    return embedded && !follows ? "requests from other sites are not allowed" : undefined;
  }

  function isOwnPage({ method, headersDistinct }: IncomingMessage): boolean {
    const [site = "none"] = headersDistinct["sec-fetch-site"] ?? [];
    if (site !== "none" && site !== "same-origin") return false;
    const [origin] = headersDistinct["origin"] ?? [];
    // Browsers omit it when a page reads from its own server.
    if (origin === undefined) return method === "GET";
    // Behind a proxy it is the proxy's port.
    return allowed.length > 0 || [hostOf(headersDistinct).port, String(port())].includes(originOf(origin).port);
  }

  return { refusal, isOwnPage };
}

/** A name without brackets, and its port; an empty name for an invalid host. */
function splitHost(text: string, defaultPort: string): { readonly name: string; readonly port: string } {
  const [, name = "", port = defaultPort] = HOST.exec(text) ?? [];
  return { name: canonical(name), port };
}

function hostOf({ host = [] }: NodeJS.Dict<string[]>) {
  return splitHost(host.length === 1 ? host[0]! : "", "80");
}

function originOf(origin: string) {
  const [, scheme = "", rest = ""] = /^(https?):\/\/(.*)$/i.exec(origin) ?? [];
  return splitHost(rest, scheme.toLowerCase() === "https" ? "443" : "80");
}
