import type { PlatformSettings } from "#core/home/platform-settings";
import { originsProblem } from "./cors.ts";
import { isLoopback } from "#core/loopback";
import type { ListenTarget } from "#gateway/adapters/shared/not-listening";

/** What is wrong with the settings, as far as they tell without listening; undefined when nothing is. */
export function apiServerProblem({
  host = DEFAULT_HOST,
  key = "",
  cors_origins: origins = [],
}: PlatformSettings<"api_server">): string | undefined {
  const problem = originsProblem(origins, key);
  if (problem !== undefined) return problem;
  if (key !== "" || isLoopback(host)) return undefined;
  return `other machines can reach ${host}, so a key is required. Set gateway.platforms.api_server.key, or host: ${DEFAULT_HOST}.`;
}

export const DEFAULT_HOST = "127.0.0.1";
export const DEFAULT_PORT = 8642;

/** Where a server at this address is set up. */
export function listenTarget(host: string, port: number): ListenTarget {
  return { platform: "api_server", host, port, hostKey: "host", portKey: "port" };
}
