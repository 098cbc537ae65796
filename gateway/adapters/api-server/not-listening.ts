import { HermesError, problemOf } from "#core/errors";

/** The error of a server that cannot listen, which says what to change. */
export function notListening(thrown: unknown, host: string, port: number): HermesError {
  const { code } = thrown as { code?: unknown };
  const at = "gateway.platforms.api_server";
  const problem =
    code === "EADDRINUSE"
      ? `port ${port} on ${host} is in use. Set ${at}.port to another one.`
      : code === "EACCES"
        ? `this user cannot open port ${port}. Set ${at}.port to one above 1023.`
        : code === "EADDRNOTAVAIL" || code === "ENOTFOUND"
          ? `${host} is not an address of this machine. Set ${at}.host to one that is.`
          : `${problemOf(thrown)} (check ${at}.host and ${at}.port)`;
  return new HermesError("HERMES_ADAPTER_START", { platform: "api_server", problem });
}
