/** One plugin in the process: what it added, and how all of that goes away again. */
import type { AsyncResource } from "node:async_hooks";
import type { HookDispatcher } from "#core/dispatch";
import { problemOf } from "#core/errors";
import type { Log } from "#core/log";
import type { Hook, Tool } from "#core/ports";
import type { HookRegistry } from "#core/registry";
import type { PlatformAdapter, PluginTurn, Unregister } from "./api.ts";
import { createScope, type Owner } from "./attribution.ts";
import type { BlockWatch } from "./block-watch.ts";
import { withinDeadline } from "./deadline.ts";
import type { PluginCommand } from "./definitions.ts";
import type { FoundPlugin } from "./discover.ts";

/** Something under a name of its own, and whose it is. */
export interface Owned<Value> {
  readonly value: Value;
  readonly plugin: LoadedPlugin;
}

/** What all plugins of one host share. */
export interface Shared {
  readonly dispatcher: HookDispatcher;
  readonly registry: HookRegistry;
  readonly config: { readonly callback_timeout_seconds: number };
  readonly watch: BlockWatch;
  readonly tools: Map<string, Owned<Tool>>;
  readonly commands: Map<string, Owned<PluginCommand>>;
  readonly platforms: Map<string, Owned<PlatformAdapter>>;
  readonly isBuiltinTool: (name: string) => boolean;
  readonly isBuiltinCommand: (name: string) => boolean;
  readonly run_turn: (request: { readonly prompt: string; readonly plugin: string }) => Promise<PluginTurn>;
  readonly deliver: (message: { readonly text: string; readonly plugin: string }) => Promise<void>;
  readonly warn: (sentence: string) => void;
  readonly log: Log;
}

interface Options {
  readonly onFailure: "skip" | "block";
  readonly settings: Readonly<Record<string, unknown>>;
}

/** How long one `on_unload` may take: the end of the program waits for it. */
const UNLOAD_SECONDS = 2;

export class LoadedPlugin {
  readonly name: string;
  readonly folder: string;
  readonly onFailure: "skip" | "block";
  readonly settings: Readonly<Record<string, unknown>>;
  readonly deps: Shared;
  readonly log: Log;
  readonly scope: AsyncResource;
  readonly hooks = new Set<Hook>();
  readonly unloadCallbacks: (() => unknown)[] = [];
  readonly #undos = new Set<Unregister>();
  #unloaded = false;

  /** `folder` is the real path. */
  constructor(found: FoundPlugin, folder: string, deps: Shared, { onFailure, settings }: Options) {
    this.name = found.name;
    this.folder = folder;
    this.onFailure = onFailure;
    this.settings = settings;
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
    if (this.#unloaded) this.warn(`plugin "${this.name}" is unloaded; its ctx.${call} did nothing.`);
    return !this.#unloaded;
  }

  /** Keeps an undo for the unload; returns it so that it runs once at most. */
  undoable(undo: Unregister): Unregister {
    const once = () => {
      if (this.#undos.delete(once)) undo();
    };
    this.#undos.add(once);
    return once;
  }

  /** The events that it has callbacks for. */
  events(): string[] {
    return [...new Set([...this.hooks].map(({ event }) => event))];
  }

  /** Takes back all that it added, then runs its `on_unload` callbacks, the last added first. Never rejects. */
  async unload(): Promise<void> {
    if (this.#unloaded) return;
    this.#unloaded = true;
    for (const undo of [...this.#undos].toReversed()) undo();
    for (const callback of this.unloadCallbacks.splice(0).toReversed()) {
      try {
        const ended: unknown = this.scope.runInAsyncScope(callback);
        await withinDeadline(ended, UNLOAD_SECONDS, `it did not end within ${UNLOAD_SECONDS} s`);
      } catch (error) {
        this.warn(`plugin "${this.name}": its on_unload failed: ${problemOf(error)}`);
      }
    }
  }
}
