/** The settings of `gateway.hooks` in `config.yaml`, with their defaults. */
import type { ConfigValues } from "#core/home/config";
import { DEFAULT_TIMEOUT_SECONDS, type Allowances } from "#core/ports/tier";

export interface GatewayHookSettings {
  /** The time limit of hooks without `timeout_seconds`. */
  readonly timeoutSeconds: number;
  /** The folders in `hooks/` that are held to the isolate and to their grants. */
  readonly untrusted: readonly string[];
  /** What an untrusted hook may be allowed at most, by folder. */
  readonly grants: Readonly<Record<string, Allowances>>;
}

export const DEFAULT_SETTINGS: GatewayHookSettings = {
  timeoutSeconds: DEFAULT_TIMEOUT_SECONDS,
  untrusted: [],
  grants: {},
};

/** Takes the values of a configuration. */
export function gatewayHookSettings({ gateway }: Pick<ConfigValues, "gateway">): GatewayHookSettings {
  const { timeout_seconds: timeoutSeconds, untrusted = [], grants = {} } = gateway?.hooks ?? {};
  const entries = Object.entries(grants).map(([directory, { fetch = [], env = [], kv = false }]) => {
    return [directory, { fetch: fetch.map((host) => host.toLowerCase()), env, kv }] as const;
  });
  return {
    timeoutSeconds: timeoutSeconds ?? DEFAULT_SETTINGS.timeoutSeconds,
    untrusted,
    grants: Object.fromEntries(entries),
  };
}
