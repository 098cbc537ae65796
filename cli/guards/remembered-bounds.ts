/**
 * Remembers the bounds of isolated gateway hooks that are gone: otherwise a folder that is removed and added again would
 * be a new hook, and could ask for anything.
 */
import type { HookBounds } from "#core/ports/guards";

export class RememberedBounds {
  #gone: readonly HookBounds[] = [];

  /** The running hooks and those that are gone. */
  with(running: readonly HookBounds[]): readonly HookBounds[] {
    return [...running, ...missingIn(running, this.#gone)];
  }

  /** Takes what ran until now and what runs from now on; forgets everything if the user asked for the change. */
  update(before: readonly HookBounds[], after: readonly HookBounds[], mayLoosen: boolean): void {
    this.#gone = mayLoosen ? [] : missingIn(after, this.with(before));
  }
}

function missingIn(present: readonly HookBounds[], hooks: readonly HookBounds[]): readonly HookBounds[] {
  const directories = new Set(present.map(({ directory }) => directory));
  return hooks.filter(({ directory }) => !directories.has(directory));
}
