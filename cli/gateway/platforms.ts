/** The messaging platforms of a configuration: built-in ones and those of plugins. */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "#core/home/config";
import type { PlatformName, PlatformSettings } from "#core/home/platform-settings";
import type { Adapter } from "#core/ports/platform";
import { slashCommands } from "#core/slash-commands";
import { didYouMean } from "#core/suggest";
import type { AdapterServices } from "#gateway/adapters/descriptor";
import { createAdapter, isBuiltIn, PLATFORM_NAMES } from "#gateway/adapters/table";
import type { Host } from "../host/host.ts";
import { programVersion } from "../version.ts";

type AnySettings = Readonly<Record<string, unknown>> & { readonly enabled?: unknown };

/** A built-in adapter, kept as long as its settings are the same. */
interface Made {
  readonly settings: AnySettings;
  readonly adapter: Adapter;
}

function servicesOf(host: Host, name: PlatformName): AdapterServices {
  return {
    model: () => host.model.describe(),
    version: programVersion(),
    database: host.database,
    isSession: (id) => host.sessions.get(id)?.platform === name,
    log: host.log,
    warn: (sentence) => host.warn(sentence),
    commands: () => [
      ...slashCommands("gateway"),
      ...host.plugins
        .commands()
        .map((command) => ({ name: command.name, usage: "[TEXT]", summary: command.description })),
    ],
    // Text that a hook may still replace is not shown early.
    streaming: () => host.dispatcher.mayStream(),
  };
}

export class ConfiguredPlatforms {
  readonly #host: Host;
  #made: ReadonlyMap<string, Made> = new Map();

  constructor(host: Host) {
    this.#host = host;
  }

  /** The adapters of the current configuration and plugins. One with unchanged settings is the same object as before. */
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
              adapter: await createAdapter(name, own as PlatformSettings<PlatformName>, servicesOf(this.#host, name)),
            },
      );
    }
    this.#made = made;
    return [...[...made.values()].map(({ adapter }) => adapter), ...plugins];
  }

  /** A plugin's platform runs unless the configuration disables it or it has the name of a built-in one. */
  #isWanted({ name }: Adapter, settings: Readonly<Record<string, AnySettings>>): boolean {
    if (!isBuiltIn(name)) return settings[name]?.enabled !== false;
    this.#host.warn(`a plugin registers the platform "${name}", which is built in; the built-in one is used.`);
    return false;
  }
}

function settingsOf({ values }: Config): Readonly<Record<string, AnySettings>> {
  return values.gateway?.platforms ?? {};
}
