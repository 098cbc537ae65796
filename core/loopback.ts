/** Recognises hosts that are only this machine: used to decide what may listen and what is trusted by default. */
import { isIP, SocketAddress } from "node:net";

/**
 * True for `localhost`, 127.0.0.0/8 and ::1 in any spelling, with or without brackets. Not for IPv4-mapped IPv6
 * addresses, which some programs treat as another host.
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  switch (isIP(name)) {
    case 4:
      return name.startsWith("127.");
    case 6:
      return SocketAddress.parse(`[${name}]`)?.address === "::1";
    default:
      return name === "localhost";
  }
}
