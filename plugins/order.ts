/** The order in which plugins are loaded and their hooks run (CONTRACT §4, "Order"). */
import { isNamed, type FoundPlugin } from "./discover.ts";

export interface LoadOrder {
  readonly plugins: readonly FoundPlugin[];
  /** One warning for each circle of plugins that require each other. */
  readonly warnings: readonly string[];
}

/** By folder, each plugin after those it requires. Members of a circle are ordered by folder. */
export function orderPlugins(plugins: readonly FoundPlugin[]): LoadOrder {
  const waiting = plugins.toSorted((left, right) => (left.directory < right.directory ? -1 : 1));
  const needs = new Map(waiting.map((plugin) => [plugin, new Set(requirementsOf(plugin, waiting))]));
  const ordered: FoundPlugin[] = [];
  const warnings: string[] = [];
  while (waiting.length > 0) {
    const index = waiting.findIndex((plugin) => needs.get(plugin)!.size === 0);
    if (index === -1) {
      warnings.push(breakCircle(waiting[0]!, needs));
      continue;
    }
    const [next] = waiting.splice(index, 1);
    ordered.push(next!);
    for (const others of needs.values()) others.delete(next!);
  }
  return { plugins: ordered, warnings };
}

function requirementsOf(plugin: FoundPlugin, among: readonly FoundPlugin[]): readonly FoundPlugin[] {
  const words = plugin.manifest?.requiresPlugins ?? [];
  return among.filter((other) => other !== plugin && words.some((word) => isNamed(other, word)));
}

/** Follows requirements until one repeats, and drops those between the members of that circle. */
function breakCircle(start: FoundPlugin, needs: Map<FoundPlugin, Set<FoundPlugin>>): string {
  const path: FoundPlugin[] = [];
  let here = start;
  while (!path.includes(here)) {
    path.push(here);
    // Every waiting plugin has a requirement that is waiting, too.
    here = needs.get(here)!.values().next().value!;
  }
  const circle = path.slice(path.indexOf(here));
  for (const member of circle) {
    for (const other of circle) needs.get(member)!.delete(other);
  }
  const names = [...circle, here].map(({ name }) => `"${name}"`).join(" → ");
  return `plugins require each other in a circle (${names}), so they are loaded in the order of their folders.`;
}
