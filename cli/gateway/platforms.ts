/** The messaging platforms of a configuration: ours, and those that plugins bring. */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "#core/home/config";
import type { Adapter } from "#core/ports/platform";
import { didYouMean } from "#core/suggest";
import type { Host } from "../compose.ts";
import { programVersion } from "../version.ts";

type PlatformSettings = Readonly<Record<string, unknown>> & { readonly enabled?: unknown };

/** An adapter of ours, kept as long as the settings that it was made of stay the same. */
interface Made {
  readonly settings: PlatformSettings;
  readonly adapter: Adapter;
}

type Maker = (host: Host) => Promise<Adapter>;

const MAKERS: Readonly<Record<string, Maker>> = {
  api_server: async (host) => {
    const { createApiServer } = await import("#gateway/adapters/api-server");
    return createApiServer({
      ...host.config.values.gateway?.platforms?.api_server,
      model: () => host.model.describe(),
      version: programVersion(),
      log: host.log,
      streaming: streams(host),
    });
  },
  telegram: async (host) => {
    const { createTelegram } = await import("#gateway/adapters/telegram");
    const { token, api_root } = host.config.values.gateway?.platforms?.telegram ?? {};
    return createTelegram({ token, api_root, log: host.log, streaming: streams(host) });
  },
};

/** What a hook may still change is not shown while it grows. */
const streams = (host: Host) => () => host.dispatcher.mayStream();

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
      const maker = Object.hasOwn(MAKERS, name) ? MAKERS[name] : undefined;
      if (maker === undefined) {
        const hint = didYouMean(name, Object.keys(MAKERS));
        this.#host.warn(`gateway.platforms.${name}: unknown platform; no plugin provides it.${hint}`);
        continue;
      }
      const before = this.#made.get(name);
      const kept = before !== undefined && isDeepStrictEqual(before.settings, own);
      made.set(name, kept ? before : { settings: own, adapter: await maker(this.#host) });
    }
    this.#made = made;
    return [...[...made.values()].map(({ adapter }) => adapter), ...plugins];
  }

  /** A plugin's platform runs where its plugin does, unless the configuration switches it off or it takes our names. */
  #isWanted({ name }: Adapter, settings: Readonly<Record<string, PlatformSettings>>): boolean {
    if (!Object.hasOwn(MAKERS, name)) return settings[name]?.enabled !== false;
    this.#host.warn(`a plugin registers the platform "${name}", which is built in; the built-in one is used.`);
    return false;
  }
}

/**
 * Judges the `gateway` section. Throws HERMES_CONFIG_VARIABLE for an unset variable that the gateway needs: only a
 * platform that is switched off may name one.
 */
export function checkGateway(config: Config): void {
  const { platforms: _, ...others } = config.values.gateway ?? {};
  for (const key of Object.keys(others)) config.demand("gateway", key);
  for (const [name, { enabled }] of Object.entries(settingsOf(config))) {
    config.demand("gateway", "platforms", name, "enabled");
    if (enabled === true) config.demand("gateway", "platforms", name);
  }
}

function settingsOf({ values }: Config): Readonly<Record<string, PlatformSettings>> {
  return values.gateway?.platforms ?? {};
}
