/** The built-in messaging platforms. A new one is a folder beside this file, a line here, and its settings in core. */
import { HermesError } from "#core/errors";
import type { PlatformName, PlatformSettings } from "#core/home/platform-settings";
import type { Adapter } from "#core/ports/platform";
import { apiServer } from "./api-server/descriptor.ts";
import type { AdapterServices, PlatformDescriptor } from "./descriptor.ts";
import { discord } from "./discord/descriptor.ts";
import { slack } from "./slack/descriptor.ts";
import { telegram } from "./telegram/descriptor.ts";
import { whatsapp } from "./whatsapp/descriptor.ts";

const PLATFORMS: { readonly [Name in PlatformName]: PlatformDescriptor<Name> } = {
  api_server: apiServer,
  discord,
  slack,
  telegram,
  whatsapp,
};

export const PLATFORM_NAMES = Object.keys(PLATFORMS) as readonly PlatformName[];

/** The descriptor of a platform; undefined for one of a plugin. */
export function findPlatform(name: string): Omit<PlatformDescriptor, "create" | "problem"> | undefined {
  return isBuiltIn(name) ? PLATFORMS[name] : undefined;
}

export function isBuiltIn(name: string): name is PlatformName {
  return Object.hasOwn(PLATFORMS, name);
}

/** Throws HERMES_ADAPTER_CONFIG for the first enabled built-in platform that could not start with its settings. */
export function checkPlatforms(platforms: {
  readonly [Name in PlatformName]?: PlatformSettings<Name> | undefined;
}): void {
  for (const name of PLATFORM_NAMES) checkPlatform(name, platforms[name]);
}

function checkPlatform<Name extends PlatformName>(name: Name, given: PlatformSettings<Name> | undefined): void {
  const { problem: problemWith }: PlatformDescriptor<Name> = PLATFORMS[name];
  const problem = given?.enabled === true ? problemWith(given) : undefined;
  if (problem !== undefined) throw new HermesError("HERMES_ADAPTER_CONFIG", { platform: name, problem });
}

/** Makes the adapter of a built-in platform from its settings, which the schema has validated. */
export function createAdapter<Name extends PlatformName>(
  name: Name,
  settings: PlatformSettings<Name>,
  services: AdapterServices,
): Promise<Adapter> {
  const { create }: PlatformDescriptor<Name> = PLATFORMS[name];
  return create(settings, services);
}
