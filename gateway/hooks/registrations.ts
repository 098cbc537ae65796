/** Registers the gateway hooks' handlers, in the order of their folders. */
import type { HookRegistry } from "#core/registry";
import type { LoadedGatewayHook } from "./loaded-hook.ts";

interface Registered {
  readonly loaded: LoadedGatewayHook;
  readonly remove: () => void;
}

export class Registrations {
  readonly #registry: Pick<HookRegistry, "register">;
  /** The current version of a folder's hook. */
  readonly #current: (directory: string) => LoadedGatewayHook | undefined;
  #registered: readonly Registered[] = [];

  constructor(registry: Pick<HookRegistry, "register">, current: (directory: string) => LoadedGatewayHook | undefined) {
    this.#registry = registry;
    this.#current = current;
  }

  /**
   * Registers exactly these hooks, in this order, synchronously. Hooks with only a new version are not registered
   * again: their handlers look the version up at each event.
   */
  update(hooks: readonly LoadedGatewayHook[]): void {
    const old = this.#registered;
    let same = 0;
    while (same < hooks.length && old[same]?.loaded.looksAs(hooks[same]!) === true) same++;
    for (const { remove } of old.slice(same)) remove();
    const fresh = hooks.slice(same).map((loaded) => ({ loaded, remove: this.#register(loaded) }));
    this.#registered = [...old.slice(0, same), ...fresh];
  }

  #register({ hook }: LoadedGatewayHook): () => void {
    const { name, description, folder: path, events } = hook;
    const removals = events.map((pattern) =>
      this.#registry.register(
        pattern,
        (event, context, onRun) => {
          // An event that the hook lists both by name and by namespace is delivered once, by its name.
          const isListedByName = pattern !== event && pattern.endsWith(":*") && events.includes(event);
          const current = isListedByName ? undefined : this.#current(hook.directory);
          if (current !== undefined) return current.publish(pattern, event, context, onRun);
          onRun?.(null);
          return undefined;
        },
        { name, description, path, source: hook.isolation },
      ),
    );
    return () => {
      for (const remove of removals) remove();
    };
  }
}
