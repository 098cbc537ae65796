/** The messaging platforms of a configuration: ours, and those that plugins bring. */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "#core/home/config";
import type { PlatformName, PlatformSettings } from "#core/home/platform-settings";
import type { Adapter } from "#core/ports/platform";
import { didYouMean } from "#core/suggest";
import type { AdapterServices } from "#gateway/adapters/descriptor";
import { createAdapter, isBuiltIn, PLATFORM_NAMES } from "#gateway/adapters/table";
import type { Host } from "../host/host.ts";
import { programVersion } from "../version.ts";

type AnySettings = Readonly<Record<string, unknown>> & { readonly enabled?: unknown };

/** An adapter of ours, kept as long as the settings that it was made of stay the same. */
interface Made {
  readonly settings: AnySettings;
  readonly adapter: Adapter;
}

function servicesOf(host: Host): AdapterServices {
  return {
    model: () => host.model.describe(),
    version: programVersion(),
    log: host.log,
    // What a hook may still change is not shown while it grows.
    streaming: () => host.dispatcher.mayStream(),
  };
}

export class ConfiguredPlatforms {
  readonly #host: Host;
  #made: ReadonlyMap<string, Made> = new Map();

  constructor(host: Host) {
    this.#host = host;
  }

  /** The adapters of the configuration and the plugins of now; one whose settings are as before is the same as before. */
  async adapters(): Promise<readonly Adapter[]> {
    const settings = settingsOf(this.#host.config);
    const plugins = this.#host.plugins.platforms().filter((adapter) => this.#isWanted(adapter, settings));
    const made = new Map<string, Made>();
    for (const [name, own] of Object.entries(settings)) {
      if (own.enabled !== true || plugins.some((adapter) => adapter.name === name)) continue;
      if (!isBuiltIn(name)) {
        const hint = didYouMean(name, PLATFORM_NAMES);
        this.#host.warn(`gateway.platforms.${name}: unknown platform; no plugin provides it.${hint}`);
        continue;
      }
      const before = this.#made.get(name);
      const kept = before !== undefined && isDeepStrictEqual(before.settings, own);
      made.set(
        name,
        kept
          ? before
          : {
              settings: own,
              adapter: await createAdapter(name, own as PlatformSettings<PlatformName>, servicesOf(this.#host)),
            },
      );
    }
    this.#made = made;
    return [...[...made.values()].map(({ adapter }) => adapter), ...plugins];
  }

  /** A plugin's platform runs where its plugin does, unless the configuration switches it off or it takes our names. */
  #isWanted({ name }: Adapter, settings: Readonly<Record<string, AnySettings>>): boolean {
    if (!isBuiltIn(name)) return settings[name]?.enabled !== false;
    this.#host.warn(`a plugin registers the platform "${name}", which is built in; the built-in one is used.`);
    return false;
  }
}

function settingsOf({ values }: Config): Readonly<Record<string, AnySettings>> {
  return values.gateway?.platforms ?? {};
}
