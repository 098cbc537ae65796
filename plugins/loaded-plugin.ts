/** One loaded plugin: what it added, and how that is removed. */
import type { AsyncResource } from "node:async_hooks";
import type { CommandRules } from "#core/ports/command-rules";
import type { HookDispatcher } from "#core/dispatch";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { Hook } from "#core/ports/hook";
import type { Tool } from "#core/ports/agent";
import type { PluginCodeLoader } from "#core/ports/plugin-code";
import type { HookRegistry } from "#core/registry";
import type { PlatformAdapter, PluginTurn, Unregister } from "./api.ts";
import { createScope, type Owner } from "./attribution.ts";
import type { BlockWatch } from "./block-watch.ts";
import { rejectLate } from "#core/deadline";
import { sourceOf, type FoundPlugin } from "./discover.ts";

/** A slash command of a plugin. */
export interface PluginCommand {
  readonly name: string;
  readonly description: string;
  /** The plugin's name. */
  readonly plugin: string;
  /** Resolves with the text to print, or null. Rejects with what the handler threw. */
  run(args: string): Promise<string | null>;
}

/** A value with its name and owner. */
export interface Owned<Value> {
  readonly value: Value;
  readonly plugin: LoadedPlugin;
}

/** What the plugins of one generation contribute, by unique name. */
export interface Contributions {
  readonly tools: Map<string, Owned<Tool>>;
  readonly commands: Map<string, Owned<PluginCommand>>;
  readonly platforms: Map<string, Owned<PlatformAdapter>>;
}

export function createOffers(): Contributions {
  return { tools: new Map(), commands: new Map(), platforms: new Map() };
}

/** What all plugins of a host share. */
export interface Shared {
  /** The home. */
  readonly home: string;
  readonly dispatcher: HookDispatcher;
  readonly registry: Pick<HookRegistry, "register" | "emit">;
  readonly watch: BlockWatch;
  readonly isBuiltinTool: (name: string) => boolean;
  readonly run_turn: (request: { readonly prompt: string; readonly plugin: string }) => Promise<PluginTurn>;
  readonly deliver: (message: { readonly text: string; readonly plugin: string }) => Promise<void>;
  readonly commandRules: CommandRules;
  /** Loads plugins in other languages. */
  readonly loadCode: PluginCodeLoader;
  readonly warn: (sentence: string) => void;
  readonly log: Log;
}

interface Options {
  readonly onFailure: "skip" | "block";
  readonly settings: Readonly<Record<string, unknown>>;
  /** How long one callback may take. */
  readonly timeoutSeconds: number;
  readonly offers: Contributions;
  /** False for a plugin that is loaded next to the running ones: {@link LoadedPlugin.attach} puts it into effect. */
  readonly attached: boolean;
}

/** A hook or handler of a plugin, which can be removed and added again. */
interface Addition {
  readonly put: () => Unregister;
  take: Unregister | undefined;
}

/** How long one `on_unload` may take, since the program's exit waits for it. */
const UNLOAD_MS = 2000;

export class LoadedPlugin {
  readonly name: string;
  readonly folder: string;
  readonly source: "plugin" | "python";
  readonly onFailure: "skip" | "block";
  readonly settings: Readonly<Record<string, unknown>>;
  readonly timeoutSeconds: number;
  readonly deps: Shared;
  readonly log: Log;
  readonly scope: AsyncResource;
  readonly hooks = new Set<Hook>();
  readonly unloadCallbacks: (() => unknown)[] = [];
  readonly #additions = new Set<Addition>();
  #offers: Contributions;
  #attached: boolean;
  #gone = false;

  /** `folder` is the real path. */
  constructor(found: FoundPlugin, folder: string, deps: Shared, options: Options) {
    this.name = found.name;
    this.folder = folder;
    this.source = sourceOf(found);
    this.onFailure = options.onFailure;
    this.settings = options.settings;
    this.timeoutSeconds = options.timeoutSeconds;
    this.#offers = options.offers;
    this.#attached = options.attached;
    this.deps = deps;
    this.log = deps.log.child({ plugin: found.name });
    this.scope = createScope(this.#owner());
  }

  #owner(): Owner {
    return {
      name: this.name,
      folder: this.folder,
      onOutput: (text) => {
        if (text.trim() !== "") this.log.info(text.trimEnd(), { stream: "stdout" });
      },
      onStray: (sentence) => this.log.error(sentence),
    };
  }

  /** Warns the user and writes to the log. */
  warn(sentence: string): void {
    this.log.warn(sentence);
    this.deps.warn(sentence);
  }

  /** False, with a warning, when the plugin is unloaded, so that `call` is too late. */
  isAlive(call: string): boolean {
    if (this.#gone) this.warn(`plugin "${this.name}" is unloaded, so its ctx.${call} had no effect.`);
    return !this.#gone;
  }

  /** Adds something: `put` adds it, now or when the plugin is attached, and returns its undo. */
  add(put: () => Unregister): Unregister {
    const addition: Addition = { put, take: this.#attached ? put() : undefined };
    this.#additions.add(addition);
    return () => {
      if (this.#additions.delete(addition)) addition.take?.();
    };
  }

  /** Contributes a value under a name. Undefined when another plugin has the name. */
  offer(
    kind: keyof Contributions,
    name: string,
    value: Tool | PluginCommand | PlatformAdapter,
  ): Unregister | undefined {
    const taken = this.#offers[kind] as Map<string, Owned<unknown>>;
    if (taken.has(name)) return undefined;
    const owned = { value, plugin: this };
    taken.set(name, owned);
    // Looked up late, because a plugin that is kept next to new ones keeps its names.
    return () => {
      const now = this.#offers[kind] as Map<string, Owned<unknown>>;
      if (now.get(name) === owned) now.delete(name);
    };
  }

  /** Joins another generation, with those of its names that no plugin there has. */
  join(offers: Contributions): void {
    const before = this.#offers;
    this.#offers = offers;
    for (const kind of ["tools", "commands", "platforms"] as const) {
      const taken = offers[kind] as Map<string, Owned<unknown>>;
      for (const [name, owned] of before[kind]) {
        if (owned.plugin === this && !taken.has(name)) taken.set(name, owned);
      }
    }
  }

  /** Adds everything in its original order. Synchronous, like {@link detach}. */
  attach(): void {
    this.#attached = true;
    for (const addition of this.#additions) addition.take ??= addition.put();
  }

  /** Removes everything it added; running callbacks finish normally. */
  detach(): void {
    this.#attached = false;
    for (const addition of [...this.#additions].toReversed()) {
      addition.take?.();
      addition.take = undefined;
    }
  }

  /** Detaches it permanently. */
  leave(): void {
    this.#gone = true;
    this.detach();
  }

  /** The events with its callbacks. */
  events(): string[] {
    return [...new Set([...this.hooks].map(({ event }) => event))];
  }

  /** Removes everything it added, then runs its `on_unload` callbacks, last added first. Never rejects. */
  async unload(): Promise<void> {
    this.leave();
    for (const kind of ["tools", "commands", "platforms"] as const) {
      for (const [name, { plugin }] of this.#offers[kind]) if (plugin === this) this.#offers[kind].delete(name);
    }
    for (const callback of this.unloadCallbacks.splice(0).toReversed()) {
      try {
        const ended: unknown = this.scope.runInAsyncScope(callback);
        await rejectLate(ended, { ms: UNLOAD_MS, sentence: `it did not finish within ${UNLOAD_MS / 1000} s` });
      } catch (error) {
        this.warn(`plugin "${this.name}": its on_unload failed: ${problemOf(error)}`);
      }
    }
  }
}
