import { HermesError, problemOf } from "#core/errors";

/** The error of a webhook that cannot listen, which says what to change. */
export function notListening(thrown: unknown, bind: string): HermesError {
  const { code } = thrown as { code?: unknown };
  const key = "gateway.platforms.whatsapp.bind";
  const problem =
    code === "EADDRINUSE"
      ? `${bind} is in use. Set ${key} to another port.`
      : code === "EACCES"
        ? `this user cannot open ${bind}. Set ${key} to a port above 1023.`
        : code === "EADDRNOTAVAIL" || code === "ENOTFOUND"
          ? `${bind} is not an address of this machine. Set ${key} to one that is.`
          : `${problemOf(thrown)} (check ${key})`;
  return new HermesError("HERMES_ADAPTER_START", { platform: "whatsapp", problem });
}
