/**
 * Decides which addresses code that is not ours may connect to. Everything that is not a public unicast address is
 * refused, including public-looking IPv6 addresses that a gateway translates to a private IPv4 address.
 */
import { BlockList, isIP, isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";

/** Services of cloud providers that hand out credentials at an address of the public range. */
const METADATA = new BlockList();
METADATA.addAddress("168.63.129.16");

/** The IPv6 addresses that are assigned to hosts; everything outside is reserved for something else. */
const GLOBAL_UNICAST = new BlockList();
GLOBAL_UNICAST.addSubnet("2000::", 3, "ipv6");

/** IPv6 prefixes with an IPv4 address at a fixed position, which is where a connection ends up. */
const EMBEDDING: readonly { readonly prefix: string; readonly bits: number; readonly at: number }[] = [
  { prefix: "::ffff:0:0", bits: 96, at: 12 },
  { prefix: "::ffff:0:0:0", bits: 96, at: 12 },
  { prefix: "64:ff9b::", bits: 96, at: 12 },
  { prefix: "2002::", bits: 16, at: 2 },
];
const EMBEDDERS = EMBEDDING.map(({ prefix, bits, at }) => {
  const addresses = new BlockList();
  addresses.addSubnet(prefix, bits, "ipv6");
  return { addresses, at };
});

/** The names that error messages use where ipaddr.js has a technical one. */
const KINDS: Readonly<Record<string, string>> = {
  carrierGradeNat: "carrier-grade NAT",
  linkLocal: "link-local",
  uniqueLocal: "unique local",
};

/**
 * What keeps an address from being public, such as `private` or `loopback`; null for a public unicast address. A text
 * that is not an IP address is `invalid`. An address that embeds an IPv4 address is judged by that.
 */
export function nonPublicKind(address: string): string | null {
  switch (isIP(address)) {
    case 4:
      return kindOfIPv4(address);
    case 6:
      return kindOfIPv6(address);
    default:
      return "invalid";
  }
}

/** The same address in one spelling, for comparison; null for a text that is not an IP address. */
export function canonicalAddress(text: string): string | null {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) === 4) return bare;
  return isIP(bare) === 6 ? ipaddr.process(hexadecimal(bare)).toString() : null;
}

function kindOfIPv4(address: string): string | null {
  if (METADATA.check(address)) return "metadata";
  return named(ipaddr.IPv4.parse(address).range());
}

function kindOfIPv6(address: string): string | null {
  const parsed = ipaddr.IPv6.parse(hexadecimal(address));
  const bytes = parsed.toByteArray();
  const embedder = EMBEDDERS.find(({ addresses }) => addresses.check(address, "ipv6"));
  if (embedder !== undefined) return kindOfIPv4(ipv4At(bytes, embedder.at));
  const range = parsed.range();
  if (range !== "unicast") return named(range);
  if (!GLOBAL_UNICAST.check(address, "ipv6")) return "reserved";
  // ISATAP: the rest of the address may be anything.
  return isIsatap(bytes) ? kindOfIPv4(ipv4At(bytes, 12)) : null;
}

/** Without a zone and without dots: ipaddr.js reads `::10.0.0.1` as another address. */
function hexadecimal(address: string): string {
  return new URL(`http://[${address.replace(/%.*$/, "")}]/`).hostname.slice(1, -1);
}

function named(range: string): string | null {
  return range === "unicast" ? null : (KINDS[range] ?? range);
}

/** An interface identifier 0000:5efe or 0200:5efe, followed by an IPv4 address. */
function isIsatap(bytes: readonly number[]): boolean {
  return (bytes[8]! & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
}

function ipv4At(bytes: readonly number[], at: number): string {
  const address = bytes.slice(at, at + 4).join(".");
  if (!isIPv4(address)) throw new TypeError("an IPv6 address has 16 bytes");
  return address;
}
