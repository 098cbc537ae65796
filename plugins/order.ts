/** The order in which plugins are loaded and their hooks run (CONTRACT §4, "Order"). */
import { isNamed, type FoundPlugin } from "./discover.ts";

export interface LoadOrder {
  readonly plugins: readonly FoundPlugin[];
  /** One warning for each circle of plugins that require each other. */
  readonly warnings: readonly string[];
}

type Requirements = ReadonlyMap<FoundPlugin, Set<FoundPlugin>>;

/**
 * By folder, each plugin after those it requires. Requirements between the members of a circle do not count, so the
 * members are ordered by folder like all others.
 */
export function orderPlugins(plugins: readonly FoundPlugin[]): LoadOrder {
  const waiting = plugins.toSorted((left, right) => (left.directory < right.directory ? -1 : 1));
  const needs: Requirements = new Map(waiting.map((plugin) => [plugin, new Set(requirementsOf(plugin, waiting))]));
  const warnings = breakCircles(needs);
  const ordered: FoundPlugin[] = [];
  while (waiting.length > 0) {
    const index = waiting.findIndex((plugin) => needs.get(plugin)!.size === 0);
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

/** Drops the requirements inside of circles; gives a warning for each circle. */
function breakCircles(needs: Requirements): readonly string[] {
  const reachable = new Map([...needs.keys()].map((plugin) => [plugin, reachableFrom(plugin, needs)]));
  const warnings: string[] = [];
  const seen = new Set<FoundPlugin>();
  for (const plugin of needs.keys()) {
    if (seen.has(plugin) || !reachable.get(plugin)!.has(plugin)) continue;
    // Those that require each other, however many circles they form.
    const members = [...reachable.get(plugin)!].filter((other) => reachable.get(other)!.has(plugin));
    warnings.push(describeCircle(plugin, members, needs));
    for (const member of members) {
      seen.add(member);
      for (const other of members) needs.get(member)!.delete(other);
    }
  }
  return warnings;
}

/** What a plugin requires, directly or through others; itself only in a circle. */
function reachableFrom(plugin: FoundPlugin, needs: Requirements): ReadonlySet<FoundPlugin> {
  const found = new Set<FoundPlugin>();
  const visit = (from: FoundPlugin) => {
    for (const next of needs.get(from)!) {
      if (found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(plugin);
  return found;
}

function describeCircle(start: FoundPlugin, members: readonly FoundPlugin[], needs: Requirements): string {
  const path = [start];
  for (;;) {
    const next = members.find((member) => needs.get(path.at(-1)!)!.has(member))!;
    const repeated = path.indexOf(next);
    path.push(next);
    if (repeated === -1) continue;
    const names = path.slice(repeated).map(({ name }) => `"${name}"`);
    return `plugins require each other in a circle (${names.join(" → ")}), so they are loaded in the order of their folders.`;
  }
}
