/** The list of a registry's handlers, as users of the registry see it. */

export interface LoadedHook {
  readonly name: string;
  readonly description: string;
  readonly events: readonly string[];
  readonly path: string;
}

interface Listed extends Omit<LoadedHook, "events" | "path"> {
  readonly event: string;
  /** Null for a handler that code registered. */
  readonly path: string | null;
}

/** In order of registration; registrations of one name and path are one hook with several events. */
export function listLoaded(registrations: readonly Listed[]): readonly LoadedHook[] {
  const hooks = new Map<unknown, LoadedHook & { readonly events: string[] }>();
  for (const registration of registrations) {
    const { name, description, event, path } = registration;
    const key = path === null ? registration : `${name}\0${path}`;
    const known = hooks.get(key);
    if (known === undefined) hooks.set(key, { name, description, events: [event], path: path ?? "<programmatic>" });
    else known.events.push(event);
  }
  return [...hooks.values()];
}
