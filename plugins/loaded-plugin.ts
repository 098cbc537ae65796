/** One plugin in the process: what it added, and how all of that goes away again. */
import type { AsyncResource } from "node:async_hooks";
import type { HookDispatcher } from "#core/dispatch";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { Hook } from "#core/ports/hook";
import type { Tool } from "#core/ports/agent";
import type { HookRegistry } from "#core/registry";
import type { PlatformAdapter, PluginTurn, Unregister } from "./api.ts";
import { createScope, type Owner } from "./attribution.ts";
import type { BlockWatch } from "./block-watch.ts";
import { rejectLate } from "#core/deadline";
import type { FoundPlugin } from "./discover.ts";

/** A slash command that a plugin brought. */
export interface PluginCommand {
  readonly name: string;
  readonly description: string;
  /** The plugin's name. */
  readonly plugin: string;
  /** Gives the text to print, or null. Rejects with what the handler threw. */
  run(args: string): Promise<string | null>;
}

/** Something under a name of its own, and whose it is. */
export interface Owned<Value> {
  readonly value: Value;
  readonly plugin: LoadedPlugin;
}

/** What the plugins that run together offer, by name: each name once. */
export interface Contributions {
  readonly tools: Map<string, Owned<Tool>>;
  readonly commands: Map<string, Owned<PluginCommand>>;
  readonly platforms: Map<string, Owned<PlatformAdapter>>;
}

export function createOffers(): Contributions {
  return { tools: new Map(), commands: new Map(), platforms: new Map() };
}

/** What all plugins of one host share. */
export interface Shared {
  /** The home, where files that belong to no plugin lie. */
  readonly home: string;
  readonly dispatcher: HookDispatcher;
  readonly registry: HookRegistry;
  readonly watch: BlockWatch;
  readonly isBuiltinTool: (name: string) => boolean;
  readonly run_turn: (request: { readonly prompt: string; readonly plugin: string }) => Promise<PluginTurn>;
  readonly deliver: (message: { readonly text: string; readonly plugin: string }) => Promise<void>;
  readonly warn: (sentence: string) => void;
  readonly log: Log;
}

interface Options {
  readonly onFailure: "skip" | "block";
  readonly settings: Readonly<Record<string, unknown>>;
  /** How long one callback may take. */
  readonly timeoutSeconds: number;
  readonly offers: Contributions;
  /** False for a plugin that is loaded beside those that run: what it adds counts from {@link LoadedPlugin.attach} on. */
  readonly attached: boolean;
}

/** A hook or a handler of a plugin, which can be taken out and put in again. */
interface Addition {
  readonly put: () => Unregister;
  take: Unregister | undefined;
}

/** How long one `on_unload` may take: the end of the program waits for it. */
const UNLOAD_MS = 2000;

export class LoadedPlugin {
  readonly name: string;
  readonly folder: string;
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

  /** Warns the person, and leaves it in the log. */
  warn(sentence: string): void {
    this.log.warn(sentence);
    this.deps.warn(sentence);
  }

  /** False, with a warning, when the plugin is gone and `call` comes too late. */
  isAlive(call: string): boolean {
    if (this.#gone) this.warn(`plugin "${this.name}" is unloaded; its ctx.${call} did nothing.`);
    return !this.#gone;
  }

  /** Adds something: `put` puts it in, now or when the plugin is attached, and gives what takes it out. */
  add(put: () => Unregister): Unregister {
    const addition: Addition = { put, take: this.#attached ? put() : undefined };
    this.#additions.add(addition);
    return () => {
      if (this.#additions.delete(addition)) addition.take?.();
    };
  }

  /** Offers a value under a name. Undefined when another plugin has the name. */
  offer(
    kind: keyof Contributions,
    name: string,
    value: Tool | PluginCommand | PlatformAdapter,
  ): Unregister | undefined {
    const taken = this.#offers[kind] as Map<string, Owned<unknown>>;
    if (taken.has(name)) return undefined;
    const owned = { value, plugin: this };
    taken.set(name, owned);
    // Asked late: a plugin that goes on beside new ones takes its names with it.
    return () => {
      const now = this.#offers[kind] as Map<string, Owned<unknown>>;
      if (now.get(name) === owned) now.delete(name);
    };
  }

  /** Goes on beside other plugins than before, with those of its names that none of them has. */
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

  /** Puts in all that it added, in the order in which it did. Synchronous, like {@link detach}. */
  attach(): void {
    this.#attached = true;
    for (const addition of this.#additions) addition.take ??= addition.put();
  }

  /** Takes out all that it added; what is under way ends as it began. */
  detach(): void {
    this.#attached = false;
    for (const addition of [...this.#additions].toReversed()) {
      addition.take?.();
      addition.take = undefined;
    }
  }

  /** Detaches it for good. */
  leave(): void {
    this.#gone = true;
    this.detach();
  }

  /** The events that it has callbacks for. */
  events(): string[] {
    return [...new Set([...this.hooks].map(({ event }) => event))];
  }

  /** Takes back all that it added, then runs its `on_unload` callbacks, the last added first. Never rejects. */
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
