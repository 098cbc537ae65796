/** `HERMES_HOOK_FORWARDER` (CONTRACT §9). */
const OFF = new Set(["0", "false", "no", "off"]);

/** True when forwarding is switched off. */
export function isForwarderOff(env: NodeJS.ProcessEnv): boolean {
  return OFF.has((env["HERMES_HOOK_FORWARDER"] ?? "").trim().toLowerCase());
}
