/** The gates that plugins guard: those of what runs, and those that would be left under another configuration. */
import { declarationOf } from "#core/events";
import type { ConfigValues } from "#core/home/config";
import type { PluginGuard } from "#core/ports/guards";
import { entryOf, isNamed, type Discovery, type FoundPlugin } from "./discover.ts";
import type { Generation } from "./generation.ts";

/** The gates of a generation's plugins, those of broken ones that block included. */
export function gatesOf({ running, guards }: Generation): readonly PluginGuard[] {
  const working = [...running].flatMap(([{ directory }, { name, hooks, timeoutSeconds }]) =>
    [...hooks]
      .filter(({ event }) => declarationOf(event).kind === "gate")
      .map(({ event, onFailure }) => ({ directory, name, event, blocks: onFailure === "block", timeoutSeconds })),
  );
  const blocking = guards.map(({ plugin: { directory, name }, hook: { event } }) => {
    return { directory, name, event, blocks: true, timeoutSeconds: 0 };
  });
  return [...working, ...blocking];
}

/** What the folders and a configuration leave of `gates`, told without loading any code. */
export function gatesLeft(
  gates: readonly PluginGuard[],
  { plugins }: Discovery,
  settings: ConfigValues["plugins"],
): readonly PluginGuard[] {
  return gates.flatMap((gate) => {
    const found = plugins.find(({ directory, builtin, name }) => {
      return directory === gate.directory && (builtin === undefined || name === gate.name);
    });
    if (found === undefined || !staysOn(found, gate, settings)) return [];
    const blocks = entryOf(gate, settings.entries).on_error === "block";
    const timeoutSeconds = gate.timeoutSeconds === 0 ? 0 : settings.callback_timeout_seconds;
    return [{ ...gate, blocks, timeoutSeconds }];
  });
}

/** A folder that has become unreadable is still called what it was called when it was loaded. */
function staysOn(found: FoundPlugin, gate: PluginGuard, { enabled, disabled }: ConfigValues["plugins"]): boolean {
  if (found.error === undefined) return found.wanted;
  const isMeant = (word: string) => isNamed(gate, word);
  return enabled.some(isMeant) && !disabled.some(isMeant);
}
