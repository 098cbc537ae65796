/** Loads a home's plugins, one after another, and holds what they brought (CONTRACT §7). */
import { realpathSync } from "node:fs";
import type { Config, ConfigValues } from "#core/config";
import type { HookDispatcher } from "#core/dispatch";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import { frozenCopy } from "#core/firing";
import type { Log } from "#core/log";
import type { HomePaths } from "#core/paths";
import type { Hook, Tool } from "#core/ports";
import type { HookRegistry } from "#core/registry";
import { didYouMean } from "#core/suggest";
import type { PlatformAdapter } from "./api.ts";
import { watchStrays } from "./attribution.ts";
import { BlockWatch } from "./block-watch.ts";
import { createPluginContext } from "./context.ts";
import { withinDeadline } from "./deadline.ts";
import type { PluginCommand } from "./definitions.ts";
import { discoverPlugins, isNamed, type FoundPlugin, type PluginState } from "./discover.ts";
import { importPlugin, loadError } from "./load.ts";
import { LoadedPlugin, type Owned, type Shared } from "./loaded-plugin.ts";
import { orderPlugins } from "./order.ts";

export interface PluginHostDeps {
  readonly paths: Pick<HomePaths, "plugins">;
  readonly dispatcher: HookDispatcher;
  /** The registry behind `ctx.emit` and `ctx.on`. */
  readonly registry: HookRegistry;
  readonly config: { readonly values: Pick<ConfigValues, "plugins">; readonly demand: Config["demand"] };
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Says a sentence to the person, once. */
  readonly warn: (sentence: string) => void;
  readonly builtinTools: Iterable<string>;
  /** Slash commands, without the slash. */
  readonly builtinCommands: Iterable<string>;
  /** Loads nothing. */
  readonly safeMode: boolean;
  /** Runs a turn for `ctx.run_turn`; absent where no turns run. */
  readonly run_turn?: Shared["run_turn"] | undefined;
  /** Sends to the home channel for `ctx.deliver`; absent where there is none. */
  readonly deliver?: Shared["deliver"] | undefined;
}

/** A line of `hermes plugins list --json`. */
export interface PluginListing {
  readonly name: string;
  readonly directory: string;
  readonly state: PluginState;
  readonly error?: string;
  readonly hooks: readonly string[];
  readonly tools: readonly string[];
  readonly commands: readonly string[];
}

export interface PluginHost extends AsyncDisposable {
  /** Loads what the configuration enables. Never rejects: a plugin that cannot be loaded is warned about and listed. */
  load(): Promise<void>;
  /** Every plugin of the home, by name of its folder. */
  list(): readonly PluginListing[];
  /** The plugins' tools, for the agent. */
  tools(): readonly Tool[];
  /** The plugins' slash commands, for the chat. */
  commands(): readonly PluginCommand[];
  /** The plugins' messaging platforms, for the gateway. */
  platforms(): readonly PlatformAdapter[];
  /** Takes back what the plugins added and runs their `on_unload`, the last loaded first. Never rejects. */
  unload(): Promise<void>;
}

export function createPluginHost(deps: PluginHostDeps): PluginHost {
  const { log, warn } = deps;
  const config = deps.config.values.plugins;
  const seconds = config.callback_timeout_seconds;
  const shared = createShared(deps);
  const loaded: LoadedPlugin[] = [];
  let found: readonly FoundPlugin[] = [];
  const failures = new Map<FoundPlugin, string>();
  const guards: (() => void)[] = [];
  const removeSink = deps.dispatcher.sinks.add(shared.watch.record);

  async function load(): Promise<void> {
    const discovery = await discoverPlugins(deps.paths.plugins, config);
    found = discovery.plugins;
    for (const sentence of [...discovery.warnings, ...unknownEntries()]) warn(sentence);
    if (deps.safeMode) return;
    for (const plugin of found) if (plugin.wanted && plugin.error !== undefined) refuse(plugin, plugin.error);
    const order = orderPlugins(found.filter(({ state }) => state === "enabled"));
    for (const sentence of order.warnings) warn(sentence);
    if (order.plugins.length > 0) watchStrays();
    for (const plugin of order.plugins) {
      try {
        await loadOne(plugin);
      } catch (error) {
        refuse(plugin, isHermesError(error) ? error.message : problemOf(error));
      }
    }
  }

  async function loadOne(plugin: FoundPlugin): Promise<void> {
    const entry = plugin.entry!;
    requireEnv(plugin);
    requirePlugins(plugin);
    const folder = realpathSync(plugin.folder);
    const { key, onFailure, settings } = entryOf(plugin);
    if (key !== undefined) deps.config.demand("plugins", "entries", key, "settings");
    const one = new LoadedPlugin(plugin, folder, shared, { onFailure, settings: frozenCopy(settings) });
    try {
      const importing = one.scope.runInAsyncScope(() => importPlugin(plugin, entry));
      const late = `its module was not loaded within ${seconds} s. Does it await something that never settles?`;
      const { hooks, register } = await withinDeadline(importing, seconds, late);
      const context = createPluginContext(one);
      for (const [event, callback] of Object.entries(hooks)) {
        if (callback !== undefined) context.register_hook(event as never, callback as never);
      }
      const registering: unknown = register && one.scope.runInAsyncScope(register, undefined, context);
      await withinDeadline(registering, seconds, `"register" did not end within ${seconds} s`);
      loaded.push(one);
    } catch (error) {
      await one.unload();
      throw loadError(error, folder, entry);
    }
  }

  function requireEnv({ manifest }: FoundPlugin): void {
    const missing = (manifest?.requiresEnv ?? []).filter((name) => !deps.env[name]);
    if (missing.length === 0) return;
    throw new Error(`It needs ${missing.join(", ")} in the environment (requires_env in its plugin.yaml).`);
  }

  function requirePlugins({ manifest }: FoundPlugin): void {
    for (const word of manifest?.requiresPlugins ?? []) {
      const candidates = found.filter((other) => isNamed(other, word));
      const usable = candidates.some((other) => other.state === "enabled" && !failures.has(other));
      if (usable) continue;
      const [first] = candidates;
      const why = first === undefined ? "is not there" : reasons[failures.has(first) ? "error" : first.state];
      const hint =
        first === undefined
          ? didYouMean(
              word,
              found.map(({ name }) => name),
            )
          : "";
      throw new Error(`It requires the plugin "${word}", which ${why}.${hint}`);
    }
  }

  function refuse(plugin: FoundPlugin, problem: string): void {
    failures.set(plugin, problem);
    log.error(`plugin "${plugin.name}" was not loaded: ${problem}`, { plugin: plugin.name });
    warn(`plugin "${plugin.name}" was not loaded: ${problem}`);
    const { onFailure } = entryOf(plugin);
    const events = plugin.manifest?.providesHooks ?? [];
    if (onFailure !== "block" || (events.length > 0 && !events.includes("pre_tool_call"))) return;
    // A guard that the person marked to block must not be open because it is broken.
    guards.push(deps.dispatcher.register(brokenGuard(plugin.name, problem)));
    warn(`plugin "${plugin.name}" is marked "on_error: block": every tool call is blocked until it loads.`);
  }

  function entryOf(plugin: FoundPlugin) {
    const key = [plugin.name, plugin.directory].find((name) => Object.hasOwn(config.entries, name));
    const entry = key === undefined ? undefined : config.entries[key];
    return { key, onFailure: entry?.on_error ?? "skip", settings: entry?.settings ?? {} };
  }

  function unknownEntries(): readonly string[] {
    const names = found.flatMap(({ name, directory }) => [name, directory]);
    return Object.keys(config.entries)
      .filter((key) => !names.includes(key))
      .map((key) => `plugins.entries: there is no plugin "${key}".${didYouMean(key, names)}`);
  }

  function list(): readonly PluginListing[] {
    return found.map((plugin) => {
      const one = loaded.find(
        ({ name }) => name === plugin.name && plugin.state === "enabled" && !failures.has(plugin),
      );
      const off = deps.safeMode && plugin.state === "enabled";
      const error = off ? "not loaded in safe mode" : (failures.get(plugin) ?? plugin.error);
      const listing: { -readonly [Key in keyof PluginListing]: PluginListing[Key] } = {
        name: plugin.name,
        directory: plugin.directory,
        state: off ? "disabled" : failures.has(plugin) ? "error" : plugin.state,
        hooks: one?.events() ?? [],
        tools: namesOf(shared.tools, one),
        commands: namesOf(shared.commands, one),
      };
      if (error !== undefined) listing.error = error;
      return listing;
    });
  }

  async function unload(): Promise<void> {
    for (const plugin of loaded.splice(0).toReversed()) await plugin.unload();
    for (const remove of guards.splice(0)) remove();
    removeSink();
  }

  return {
    load,
    list,
    tools: () => valuesOf(shared.tools),
    commands: () => valuesOf(shared.commands),
    platforms: () => valuesOf(shared.platforms),
    unload,
    [Symbol.asyncDispose]: unload,
  };
}

const reasons: Readonly<Record<PluginState, string>> = {
  enabled: "is enabled",
  disabled: "is disabled",
  not_enabled: "is not enabled",
  error: "could not be loaded",
};

function createShared(deps: PluginHostDeps): Shared {
  const { dispatcher, registry, log, warn } = deps;
  const builtinTools = new Set(deps.builtinTools);
  const builtinCommands = new Set(deps.builtinCommands);
  return {
    dispatcher,
    registry,
    config: deps.config.values.plugins,
    log,
    warn,
    watch: new BlockWatch((sentence) => {
      log.warn(sentence);
      warn(sentence);
    }),
    tools: new Map(),
    commands: new Map(),
    platforms: new Map(),
    isBuiltinTool: (name) => builtinTools.has(name),
    isBuiltinCommand: (name) => builtinCommands.has(name),
    run_turn: deps.run_turn ?? (({ plugin }) => unavailable(plugin, "run_turn")),
    deliver: deps.deliver ?? (({ plugin }) => unavailable(plugin, "deliver")),
  };
}

function unavailable(plugin: string, call: string): Promise<never> {
  return Promise.reject(new HermesError("HERMES_PLUGIN_UNAVAILABLE", { plugin, call }));
}

function brokenGuard(name: string, problem: string): Hook {
  return {
    source: "plugin",
    name,
    event: "pre_tool_call",
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

function namesOf(map: ReadonlyMap<string, Owned<unknown>>, plugin: LoadedPlugin | undefined): readonly string[] {
  return [...map].filter(([, owned]) => owned.plugin === plugin).map(([name]) => name);
}

function valuesOf<Value>(map: ReadonlyMap<string, Owned<Value>>): readonly Value[] {
  return [...map.values()].map(({ value }) => value);
}
