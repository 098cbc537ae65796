/** The gateway hooks' handlers in the registry: in the order of the folders, and truthfully named. */
import type { HookRegistry } from "#core/registry";
import type { LoadedGatewayHook } from "./loaded-hook.ts";

interface Registered {
  readonly loaded: LoadedGatewayHook;
  readonly remove: () => void;
}

export class Registrations {
  readonly #registry: HookRegistry;
  /** The version of a folder's hook that takes events now. */
  readonly #current: (directory: string) => LoadedGatewayHook | undefined;
  #registered: readonly Registered[] = [];

  constructor(registry: HookRegistry, current: (directory: string) => LoadedGatewayHook | undefined) {
    this.#registry = registry;
    this.#current = current;
  }

  /**
   * Has exactly these hooks registered, in this order. Nothing else runs in between. Of those that only have another
   * version now nothing is registered anew: their handlers ask for the version at each event.
   */
  update(hooks: readonly LoadedGatewayHook[]): void {
    const old = this.#registered;
    let same = 0;
    while (same < hooks.length && old[same]?.loaded.looksAs(hooks[same]!) === true) same++;
    for (const { remove } of old.slice(same)) remove();
    const fresh = hooks.slice(same).map((loaded) => ({ loaded, remove: this.#register(loaded) }));
    this.#registered = [...old.slice(0, same), ...fresh];
  }

  #register({ directory, hook }: LoadedGatewayHook): () => void {
    const { name, description, folder: path, events } = hook;
    const removals = events.map((pattern) =>
      this.#registry.register(
        pattern,
        (event, context) => {
          // An event of a namespace that the hook also lists by its name reaches it by its name alone.
          if (pattern !== event && pattern.endsWith(":*") && events.includes(event)) return undefined;
          return this.#current(directory)?.publish(pattern, event, context);
        },
        { name, description, path },
      ),
    );
    return () => {
      for (const remove of removals) remove();
    };
  }
}
