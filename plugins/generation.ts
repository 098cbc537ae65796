/** Loads all plugins that a configuration enables, in order: the first time, or again next to the running ones. */
import { realpathSync } from "node:fs";
import { NO_VERSION, nextVersion, type VersionKind } from "#core/extensions/last-good";
import type { Config, ConfigValues } from "#core/home/config";
import { isHermesError, problemOf } from "#core/errors";
import { declarationOf, eventsWhere, type EventName } from "#core/events";
import { demandFor } from "#core/home/demands";
import { frozenCopy } from "#core/firing";
import type { Hook } from "#core/ports/hook";
import type { PluginCode } from "#core/ports/plugin-code";
import { didYouMean } from "#core/suggest";
import { watchStrays } from "./attribution.ts";
import { createPluginContext } from "./context.ts";
import { rejectLate } from "#core/deadline";
import { compileSchema } from "#core/tool-schema";
import { entryOf, isNamed, sourceOf, type Discovery, type FoundPlugin, type PluginState } from "./discover.ts";
import { importPlugin, loadError } from "./load.ts";
import { createOffers, LoadedPlugin, type Contributions, type Shared } from "./loaded-plugin.ts";
import { environmentProblem } from "./manifest.ts";
import { orderPlugins } from "./order.ts";

/** The part of the configuration that plugins need. */
export interface PluginConfig {
  readonly values: Pick<ConfigValues, "plugins">;
  readonly demand: Config["demand"];
}

/** Plugins that were loaded together and run together. */
export interface Generation {
  readonly found: readonly FoundPlugin[];
  /** The running ones, in the order of their hooks. */
  readonly running: ReadonlyMap<FoundPlugin, LoadedPlugin>;
  readonly offers: Contributions;
  /** Why plugins were not loaded; for one that still runs, why it was not reloaded. */
  readonly failures: ReadonlyMap<FoundPlugin, string>;
  /** Hooks of plugins that must block while they cannot be loaded. */
  readonly guards: readonly BlockingGuard[];
}

/** Blocks a gate in place of a plugin that cannot be loaded. */
export interface BlockingGuard {
  readonly plugin: FoundPlugin;
  readonly hook: Hook;
}

export interface GenerationOptions {
  readonly shared: Shared;
  readonly config: PluginConfig;
  readonly env: NodeJS.ProcessEnv;
  /** Loads nothing. */
  readonly safeMode: boolean;
  readonly discovery: Discovery;
  /**
   * The running ones. They continue while the new ones are loaded, and a plugin that cannot be reloaded keeps its
   * current version. Without this, what a plugin adds takes effect immediately.
   */
  readonly previous: Generation | undefined;
  /** Takes a message for the user. */
  readonly say: (sentence: string) => void;
}

export const NOTHING_LOADED: Generation = {
  found: [],
  running: new Map(),
  offers: createOffers(),
  failures: new Map(),
  guards: [],
};

/** Loads the plugins. Never rejects: one that cannot be loaded is reported and listed among the failures. */
export async function loadGeneration(options: GenerationOptions): Promise<Generation> {
  const loading = new Loading(options);
  for (const sentence of [...options.discovery.warnings, ...loading.unknownEntries()]) options.say(sentence);
  if (!options.safeMode) await loading.loadAll();
  return loading;
}

/** A generation that is being loaded. */
class Loading implements Generation {
  readonly found: readonly FoundPlugin[];
  readonly running = new Map<FoundPlugin, LoadedPlugin>();
  readonly offers = createOffers();
  readonly failures = new Map<FoundPlugin, string>();
  readonly guards: BlockingGuard[] = [];
  readonly #options: GenerationOptions;
  readonly #config: ConfigValues["plugins"];
  readonly #kind: VersionKind<FoundPlugin, LoadedPlugin> = {
    wantedOf: ({ error }) => (error === undefined ? { kind: "usable" } : { kind: "broken", problem: error }),
    // The host has compared all folders: when one of them changes, all plugins are loaded again.
    folderOf: () => null,
    // Built-in plugins do not change while hermes runs.
    isCurrent: ({ builtin }) => builtin !== undefined,
    load: (plugin) => this.#loadOne(plugin),
    describe: (error) => (isHermesError(error) ? error.message : problemOf(error)),
  };

  constructor(options: GenerationOptions) {
    this.#options = options;
    this.#config = options.config.values.plugins;
    this.found = options.discovery.plugins;
  }

  async loadAll(): Promise<void> {
    const order = orderPlugins(this.found.filter((plugin) => plugin.state === "enabled" || this.#isSpoilt(plugin)));
    for (const plugin of this.found) {
      const isTried = order.plugins.includes(plugin);
      if (plugin.wanted && plugin.error !== undefined && !isTried) this.#refuse(plugin, plugin.error);
    }
    for (const sentence of order.warnings) this.#options.say(sentence);
    if (order.plugins.some(({ builtin }) => builtin === undefined)) watchStrays();
    for (const plugin of order.plugins) {
      const before = this.#lastGood(plugin);
      const { running, problem } = await nextVersion(this.#kind, plugin, {
        before: { ...NO_VERSION, running: before },
      });
      if (running !== undefined) {
        if (running === before) running.join(this.offers);
        this.running.set(plugin, running);
      }
      if (problem !== null) this.#refuse(plugin, problem);
    }
  }

  /** Warnings about keys of `plugins.entries` without a plugin. */
  unknownEntries(): readonly string[] {
    const names = this.found.flatMap(({ name, directory }) => [name, directory]);
    return Object.keys(this.#config.entries)
      .filter((key) => !names.includes(key))
      .map((key) => `plugins.entries: there is no plugin "${key}".${didYouMean(key, names)}`);
  }

  /** True for a running one whose folder, and so perhaps its name, has become unreadable: it is kept. */
  #isSpoilt(plugin: FoundPlugin): boolean {
    return plugin.error !== undefined && this.#lastGood(plugin) !== undefined;
  }

  /** The running version of a plugin, if the configuration still enables it. */
  #lastGood({ directory, name, builtin }: FoundPlugin): LoadedPlugin | undefined {
    const { enabled, disabled } = this.#config;
    for (const [before, plugin] of this.#options.previous?.running ?? []) {
      if (before.directory !== directory || (builtin !== undefined && before.name !== name)) continue;
      const isOff = disabled.some((word) => isNamed(before, word));
      if (!isOff && (builtin !== undefined || enabled.some((word) => isNamed(before, word)))) return plugin;
    }
    return undefined;
  }

  async #loadOne(plugin: FoundPlugin): Promise<LoadedPlugin> {
    const { shared, config, previous } = this.#options;
    this.#requireEnv(plugin);
    this.#requirePlugins(plugin);
    const entry = plugin.entry ?? plugin.folder;
    const folder = plugin.builtin === undefined ? realpathSync(plugin.folder) : plugin.folder;
    const { key, onFailure, settings } = this.#entryOf(plugin);
    demandFor("plugin", config, key);
    if (onFailure === "block" && plugin.exposed !== null) throw new Error(plugin.exposed);
    const seconds = this.#config.callback_timeout_seconds;
    const one = new LoadedPlugin(plugin, folder, shared, {
      onFailure,
      settings: frozenCopy(settings),
      timeoutSeconds: seconds,
      offers: this.offers,
      attached: previous === undefined,
    });
    try {
      const loadCode = () => shared.loadCode(codeOf(plugin, one, entry));
      const importing = one.scope.runInAsyncScope(() => importPlugin(plugin, entry, loadCode));
      const { hooks, register } = await rejectLate(importing, {
        ms: seconds * 1000,
        sentence: `its module was not loaded within ${seconds} s. Does it await something that never settles?`,
      });
      const context = createPluginContext(one);
      for (const [event, callback] of Object.entries(hooks)) {
        if (callback !== undefined) context.register_hook(event as never, callback as never);
      }
      const registering: unknown = register && one.scope.runInAsyncScope(register, undefined, context);
      await rejectLate(registering, {
        ms: seconds * 1000,
        sentence: `"register" did not finish within ${seconds} s`,
      });
      await this.#checkToolSchemas(one);
      return one;
    } catch (error) {
      await one.unload();
      // A built-in plugin has no folder, so what is wrong is not in a file of it.
      throw plugin.builtin === undefined ? loadError(error, folder, entry) : error;
    }
  }

  /** Finds schemas that do not compile, which is a mistake of the plugin, before the model calls the tool. */
  async #checkToolSchemas(plugin: LoadedPlugin): Promise<void> {
    for (const { value, plugin: owner } of this.offers.tools.values()) {
      if (owner !== plugin) continue;
      const { problem } = await compileSchema(value.parameters);
      if (problem !== null)
        throw new TypeError(`the tool "${value.name}": "parameters" is not a valid JSON Schema: ${problem}`);
    }
  }

  #requireEnv({ manifest }: FoundPlugin): void {
    const problem = environmentProblem(manifest, this.#options.env);
    if (problem !== undefined) throw new Error(problem);
  }

  #requirePlugins({ manifest }: FoundPlugin): void {
    for (const word of manifest?.requiresPlugins ?? []) {
      const candidates = this.found.filter((other) => isNamed(other, word));
      // In a circle of requirements, one must be the first: a later one is fine.
      const usable = candidates.some(
        (other) => this.running.has(other) || (other.state === "enabled" && !this.failures.has(other)),
      );
      if (usable) continue;
      const [first] = candidates;
      const why = first === undefined ? "does not exist" : REASONS[this.failures.has(first) ? "error" : first.state];
      const names = this.found.map(({ name }) => name);
      const hint = first === undefined ? didYouMean(word, names) : "";
      throw new Error(`It requires the plugin "${word}", which ${why}.${hint}`);
    }
  }

  #refuse(plugin: FoundPlugin, problem: string): void {
    const { name } = plugin;
    this.failures.set(plugin, problem);
    if (this.running.has(plugin)) {
      return this.#complain(
        name,
        `plugin "${name}" was not reloaded, so its last valid version keeps running: ${problem}`,
      );
    }
    this.#complain(name, `plugin "${name}" was not loaded: ${problem}`);
    const { onFailure } = this.#entryOf(plugin);
    if (onFailure !== "block" || this.#isNamesake(plugin)) return;
    const events = plugin.manifest?.providesHooks ?? [];
    // A guard that the user marked to block must not be open because it is broken.
    for (const event of BLOCKING.filter((gate) => events.length === 0 || events.includes(gate))) {
      this.guards.push({ plugin, hook: brokenGuard(plugin, event, problem) });
      const { subject } = declarationOf(event);
      this.#options.say(`plugin "${name}" is marked "on_error: block": every ${subject} is blocked until it loads.`);
    }
  }

  /** True for a new folder with the name of a running plugin: its settings are meant for that one. */
  #isNamesake({ name, directory }: FoundPlugin): boolean {
    const running = [...(this.#options.previous?.running ?? [])];
    return running.some(([found, one]) => one.name === name && found.directory !== directory);
  }

  #complain(plugin: string, sentence: string): void {
    this.#options.shared.log.error(sentence, { plugin });
    this.#options.say(sentence);
  }

  #entryOf(plugin: FoundPlugin) {
    const { key, on_error: onFailure = "skip", settings = {} } = entryOf(plugin, this.#config.entries);
    return { key, onFailure, settings };
  }
}

function codeOf({ manifest }: FoundPlugin, plugin: LoadedPlugin, entry: string): PluginCode {
  const { name, folder, timeoutSeconds, log } = plugin;
  return {
    name,
    version: manifest?.version,
    description: manifest?.description,
    folder,
    entry,
    timeoutSeconds,
    warn: (sentence) => plugin.warn(`plugin "${name}": ${sentence}`),
    onOutput: (level, text) => log[level](text),
    onStray: (problem) => log.error(`plugin "${name}" ${problem}`),
  };
}

const REASONS: Readonly<Record<PluginState, string>> = {
  enabled: "is enabled",
  disabled: "is disabled",
  not_enabled: "is not enabled",
  error: "could not be loaded",
};

/** The gates where a failing hook may be marked to block. */
const BLOCKING = eventsWhere(({ onFailure }) => onFailure === "mark");

function brokenGuard(plugin: FoundPlugin, event: EventName, problem: string): Hook {
  return {
    source: sourceOf(plugin),
    name: plugin.name,
    event,
    command: null,
    onFailure: "block",
    deadlineSeconds: null,
    sideBySide: false,
    background: false,
    matches: () => true,
    run() {
      throw new Error(`the plugin was not loaded: ${problem}`);
    },
  };
}
