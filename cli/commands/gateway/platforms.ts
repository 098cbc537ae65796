/** The platforms that `hermes gateway setup` knows. */
import type { Config } from "#core/home/config";
import type { PlatformName } from "#core/home/platform-settings";
import { findPlatform, PLATFORM_NAMES } from "#gateway/adapters/table";

export function setupNames(): readonly PlatformName[] {
  return PLATFORM_NAMES.filter((name) => findPlatform(name)?.setup !== undefined);
}

/** Whether the configuration has the platform: `on`, `off`, or empty for one that it does not name. */
export function stateOf(platform: PlatformName, { values }: Pick<Config, "values">): string {
  const section = values.gateway?.platforms?.[platform];
  if (section === undefined) return "";
  return section.enabled === true ? "on" : "off";
}
