/** Which hosts are this machine and no other: who may listen, be asked and be trusted without more goes by this. */
import { isIP, SocketAddress } from "node:net";

/**
 * True for `localhost`, 127.0.0.0/8 and ::1, however that is written, with or without brackets. Not for an IPv4 address
 * in the form of IPv6: not everybody takes it for the same host.
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
