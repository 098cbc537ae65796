/** Hosts a home's plugins: loads them, reloads them next to the running ones, and swaps them (CONTRACT §7). */
import { isDeepStrictEqual } from "node:util";
import type { HookDispatcher } from "#core/dispatch";
import { HermesError } from "#core/errors";
import { inSlices, ManifestCache } from "#core/extensions/discover";
import { compareFingerprints, type Fingerprint } from "#core/extensions/fingerprint";
import type { ConfigValues } from "#core/home/config";
import type { Log } from "#core/home/log";
import type { HomePaths } from "#core/home/paths";
import type { Tool } from "#core/ports/agent";
import type { PluginGuard } from "#core/ports/guards";
import type { HookRegistry } from "#core/registry";
import type { PlatformAdapter } from "./api.ts";
import type { BuiltinPlugin } from "./builtin.ts";
import { BlockWatch } from "./block-watch.ts";
import type { PluginCommand, LoadedPlugin, Owned, Shared } from "./loaded-plugin.ts";
import { discoverPlugins, type Discovery, type FoundPlugin, type PluginState } from "./discover.ts";
import { gatesLeft, gatesOf } from "./gates.ts";
import { loadGeneration, NOTHING_LOADED, type Generation, type PluginConfig } from "./generation.ts";
import type { Manifest } from "./manifest.ts";

export interface PluginHostDeps {
  readonly paths: Pick<HomePaths, "home" | "plugins">;
  readonly dispatcher: HookDispatcher;
  /** The registry behind `ctx.emit` and `ctx.on`. */
  readonly registry: Pick<HookRegistry, "register" | "emit">;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Shows a message to the user, once. */
  readonly warn: (sentence: string) => void;
  readonly builtinTools: Iterable<string>;
  /** Plugins that need no folder; those of hermes when absent. */
  readonly builtin?: readonly BuiltinPlugin[] | undefined;
  /** Loads nothing. */
  readonly safeMode: boolean;
  /** Runs a turn for `ctx.run_turn`; absent when no turns can run. */
  readonly run_turn?: Shared["run_turn"] | undefined;
  /** Sends to the home channel for `ctx.deliver`; absent when there is none. */
  readonly deliver?: Shared["deliver"] | undefined;
  /** For `ctx.command_rules`; without it, no command is allowed by a rule. */
  readonly commandRules?: Shared["commandRules"] | undefined;
  /** Loads Python plugins; without it, there are none. */
  readonly loadCode?: Shared["loadCode"] | undefined;
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

/** Plugins that were loaded next to the running ones, to be swapped in. */
export interface StagedPlugins {
  /** The names of the reloaded ones, and of those to be removed. */
  readonly fresh: readonly string[];
  readonly gone: readonly string[];
  /** True when one of them could not be loaded or reloaded. */
  readonly failed: boolean;
  /** Warnings about what could not be loaded, and other problems. */
  readonly problems: readonly string[];
  /** The gates that they guard once they are swapped in. */
  readonly gates: readonly PluginGuard[];
  /** Replaces the running ones in one step; the old ones' `on_unload` run after that. */
  swap(): void;
  /** Unloads them without swapping them in. */
  discard(): Promise<void>;
}

export interface PluginHost extends AsyncDisposable {
  /** Loads the enabled plugins. Never rejects: one that cannot be loaded causes a warning and is listed. */
  load(config: PluginConfig): Promise<void>;
  /**
   * Reloads everything if something has changed: the configuration, or the code of a plugin; with `everyFile`, any file of
   * one. Undefined when nothing has changed. Never rejects: a plugin that cannot be reloaded keeps its current version.
   */
  stage(config: PluginConfig, options?: { readonly everyFile?: boolean }): Promise<StagedPlugins | undefined>;
  /** The gates that the running plugins guard. */
  gates(): readonly PluginGuard[];
  /** What a configuration and the folders as they are now leave of them, told without loading any code. */
  gatesUnder(config: PluginConfig): Promise<readonly PluginGuard[]>;
  /** All plugins of the home by folder name, then the built-in ones. */
  list(): readonly PluginListing[];
  /** The plugins' tools, for the agent. */
  tools(): readonly Tool[];
  /** The plugins' slash commands, for the chat. */
  commands(): readonly PluginCommand[];
  /** The plugins' messaging platforms, for the gateway. */
  platforms(): readonly PlatformAdapter[];
  /** Removes what the plugins added and runs their `on_unload`, last loaded first. Never rejects. */
  unload(): Promise<void>;
}

/** How long replaced plugins may take to finish running callbacks before their `on_unload`. */
const SETTLE_SECONDS = 5;

/** What the running plugins were loaded from. */
interface Basis {
  readonly settings: unknown;
  /** The enabled plugins, and their problems. */
  readonly wanted: unknown;
  /** By directory. */
  readonly fingerprints: ReadonlyMap<string, Fingerprint>;
}

export function createPluginHost(deps: PluginHostDeps): PluginHost {
  const { dispatcher, env, safeMode } = deps;
  const shared = createShared(deps);
  const removeSink = dispatcher.sinks.add(shared.watch.record);
  let current = NOTHING_LOADED;
  const manifests = new ManifestCache<Manifest>();
  let basis: Basis | undefined;
  let guards: (() => void)[] = [];
  const leaving = new Set<Promise<void>>();

  async function load(config: PluginConfig): Promise<void> {
    const looked = await look(config);
    const common = { shared, config, env, safeMode, previous: undefined, say: deps.warn };
    current = await loadGeneration({ ...common, discovery: looked.discovery });
    ({ basis } = looked);
    putGuards();
  }

  /** Checks the folders before anything is loaded, so that the next check notices changes made meanwhile. */
  async function look(config: PluginConfig, everyFile = false) {
    const settings = config.values.plugins;
    const discovery = await discover(settings);
    const plugins = discovery.plugins.filter(({ wanted }) => wanted);
    const wanted = plugins.map(({ directory, name, state, error }) => [directory, name, state, error]);
    const fingerprints = new Map<string, Fingerprint>();
    let changed = !isDeepStrictEqual([settings, wanted], [basis?.settings, basis?.wanted]);
    await inSlices(plugins, async ({ directory, folder, builtin }) => {
      if (builtin !== undefined) return;
      const compared = compareFingerprints(folder, basis?.fingerprints.get(directory), { everyFile });
      changed ||= compared.changed;
      fingerprints.set(directory, compared.fingerprint);
    });
    // An explicit reload may follow a fix that no file shows, such as an environment variable.
    changed ||= everyFile && current.failures.size > 0;
    return { discovery, changed, basis: { settings, wanted, fingerprints } };
  }

  async function stage(
    config: PluginConfig,
    { everyFile = false }: { readonly everyFile?: boolean } = {},
  ): Promise<StagedPlugins | undefined> {
    const looked = await look(config, everyFile);
    if (!looked.changed) return undefined;
    const problems: string[] = [];
    const say = (sentence: string) => void problems.push(sentence);
    const common = { shared, config, env, safeMode, previous: current, say };
    const next = await loadGeneration({ ...common, discovery: looked.discovery });
    const before = new Set(current.running.values());
    const after = new Set(next.running.values());
    const names = new Set(namesIn(after));
    return {
      fresh: namesIn(after.difference(before)),
      gone: namesIn(before).filter((name) => !names.has(name)),
      failed: next.failures.size > 0,
      problems,
      gates: gatesOf(next),
      swap() {
        ({ basis } = looked);
        swap(next);
      },
      async discard() {
        for (const plugin of [...after.difference(before)].toReversed()) await plugin.unload();
      },
    };
  }

  function discover(settings: ConfigValues["plugins"]): Promise<Discovery> {
    const holders = new Map([...current.running].map(([{ directory }, { name }]) => [name, directory]));
    return discoverPlugins(deps.paths.plugins, settings, { known: manifests, holders, builtin: deps.builtin });
  }

  async function gatesUnder(config: PluginConfig): Promise<readonly PluginGuard[]> {
    const gates = gatesOf(current);
    if (gates.length === 0) return [];
    const settings = config.values.plugins;
    return gatesLeft(gates, await discover(settings), settings);
  }

  /** Synchronous, so that an event reaches either the old plugins or the new ones. */
  function swap(next: Generation): void {
    const kept = new Set(next.running.values());
    const old = [...current.running.values()].filter((plugin) => !kept.has(plugin));
    for (const remove of guards) remove();
    for (const plugin of [...current.running.values()].toReversed()) plugin.detach();
    for (const plugin of old) plugin.leave();
    for (const plugin of kept) plugin.attach();
    current = next;
    putGuards();
    const left = retire(old).finally(() => leaving.delete(left));
    leaving.add(left);
  }

  function putGuards(): void {
    guards = current.guards.map(({ hook }) => dispatcher.register(hook));
  }

  /** Lets running callbacks of the old plugins finish, then runs their `on_unload`. */
  async function retire(old: readonly LoadedPlugin[]): Promise<void> {
    await shared.watch.settle(new Set(old.flatMap(({ hooks }) => [...hooks])), SETTLE_SECONDS);
    for (const plugin of old.toReversed()) await plugin.unload();
  }

  function list(): readonly PluginListing[] {
    return current.found.map((plugin) => {
      const one = current.running.get(plugin);
      const off = safeMode && plugin.state === "enabled";
      const error = off ? "not loaded in safe mode" : (current.failures.get(plugin) ?? plugin.error);
      const listing: { -readonly [Key in keyof PluginListing]: PluginListing[Key] } = {
        name: one?.name ?? plugin.name,
        directory: plugin.directory,
        state: off ? "disabled" : stateOf(plugin, one),
        hooks: one?.events() ?? [],
        tools: namesOf(current.offers.tools, one),
        commands: namesOf(current.offers.commands, one),
      };
      if (error !== undefined) listing.error = error;
      return listing;
    });
  }

  function stateOf(plugin: FoundPlugin, running: LoadedPlugin | undefined): PluginState {
    if (running !== undefined) return "enabled";
    return current.failures.has(plugin) ? "error" : plugin.state;
  }

  async function unload(): Promise<void> {
    const last = current;
    current = { ...NOTHING_LOADED, found: last.found, failures: last.failures };
    for (const remove of guards.splice(0)) remove();
    for (const plugin of [...last.running.values()].toReversed()) await plugin.unload();
    await Promise.all(leaving);
    removeSink();
  }

  return {
    load,
    stage,
    gates: () => gatesOf(current),
    gatesUnder,
    list,
    tools: () => valuesOf(current.offers.tools),
    commands: () => valuesOf(current.offers.commands),
    platforms: () => valuesOf(current.offers.platforms),
    unload,
    [Symbol.asyncDispose]: unload,
  };
}

function createShared(deps: PluginHostDeps): Shared {
  const { dispatcher, registry, log, warn } = deps;
  const builtinTools = new Set(deps.builtinTools);
  return {
    home: deps.paths.home,
    dispatcher,
    registry,
    log,
    warn,
    watch: new BlockWatch((sentence) => {
      log.warn(sentence);
      warn(sentence);
    }),
    isBuiltinTool: (name) => builtinTools.has(name),
    run_turn: deps.run_turn ?? (({ plugin }) => unavailable(plugin, "run_turn")),
    deliver: deps.deliver ?? (({ plugin }) => unavailable(plugin, "deliver")),
    commandRules: deps.commandRules ?? NO_RULES,
    loadCode: deps.loadCode ?? refuseCode,
  };
}

function refuseCode(): never {
  throw new Error("Python plugins cannot run here.");
}

const NO_RULES: Shared["commandRules"] = { allows: async () => false, suggest: async () => null };

function unavailable(plugin: string, call: string): Promise<never> {
  return Promise.reject(new HermesError("HERMES_PLUGIN_UNAVAILABLE", { plugin, call }));
}

function namesIn(plugins: Iterable<LoadedPlugin>): string[] {
  return [...plugins].map(({ name }) => name);
}

function namesOf(map: ReadonlyMap<string, Owned<unknown>>, plugin: LoadedPlugin | undefined): readonly string[] {
  return [...map].filter(([, owned]) => owned.plugin === plugin).map(([name]) => name);
}

function valuesOf<Value>(map: ReadonlyMap<string, Owned<Value>>): readonly Value[] {
  return [...map.values()].map(({ value }) => value);
}
