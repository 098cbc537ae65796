/** Opens connections only to addresses that may be reached, whatever a name resolves to. */
import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { buildConnector } from "undici";
import { canonicalAddress, nonPublicKind } from "./addresses.ts";

/** A connection that was refused because of its address. */
export class RefusedAddressError extends Error {
  /** The name or address in the URL. */
  readonly host: string;
  readonly address: string;
  /** What the address is, such as `private`. */
  readonly kind: string;

  constructor(host: string, address: string, kind: string) {
    super(`${host} is at ${address}, which is not a public address (${kind})`);
    this.host = host;
    this.address = address;
    this.kind = kind;
  }
}

export interface CheckedConnectOptions {
  /** `buildConnector` of undici, which the caller loads when it needs it. */
  readonly build: typeof buildConnector;
  /** Addresses that may be reached although they are not public; `localhost` is every loopback address. */
  readonly exempt?: readonly string[];
  /** Resolves names; the system's by default. */
  readonly lookup?: LookupFunction;
}

/**
 * The `connect` option of an undici Agent. A name is resolved once, every address is checked, and the connection goes to
 * one of the checked addresses, so a name server cannot give another answer in between. A name with any address that
 * may not be reached is refused: the request rejects with a {@link RefusedAddressError}.
 */
export function checkedConnect({ build, exempt = [], lookup = systemLookup }: CheckedConnectOptions) {
  const mayReach = exemptions(exempt);
  const connect = build({ lookup: checkedLookup(mayReach, lookup) });
  return (options: buildConnector.Options, callback: buildConnector.Callback): void => {
    const address = options.hostname.replace(/^\[(.*)\]$/, "$1");
    // Addresses are not looked up.
    const refused = isIP(address) === 0 ? null : findRefused(address, [address], mayReach);
    if (refused === null) connect(options, callback);
    else process.nextTick(callback, refused, null);
  };
}

function checkedLookup(mayReach: (address: string, kind: string) => boolean, lookup: LookupFunction): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, "");
      const addresses = found as LookupAddress[];
      const refused = findRefused(
        host,
        addresses.map(({ address }) => address),
        mayReach,
      );
      if (refused !== null) return callback(refused, "");
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      callback(null, first?.address ?? "", first?.family);
    });
  };
}

function findRefused(
  host: string,
  addresses: readonly string[],
  mayReach: (address: string, kind: string) => boolean,
): RefusedAddressError | null {
  for (const address of addresses) {
    const kind = nonPublicKind(address);
    if (kind !== null && !mayReach(address, kind)) return new RefusedAddressError(host, address, kind);
  }
  return null;
}

function exemptions(names: readonly string[]): (address: string, kind: string) => boolean {
  const addresses = new Set(names.map(canonicalAddress));
  const localhost = names.includes("localhost");
  return (address, kind) => (localhost && kind === "loopback") || addresses.has(canonicalAddress(address) ?? "");
}
