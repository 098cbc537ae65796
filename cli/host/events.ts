/** The part of a host that runs hooks and events: dispatcher, registry, and the live snapshot of both. */
import { HookDispatcher } from "#core/dispatch";
import { problemOf } from "#core/errors";
import { openLive } from "#core/home/live";
import type { HookIdentity } from "#core/ports/hook";
import { HookRegistry, install_as_default } from "#core/registry";
import type { HostFiles } from "../host-files.ts";
import type { Host, HostOptions } from "./host.ts";

export interface HostEvents extends AsyncDisposable, Pick<Host, "dispatcher" | "registry" | "addLiveSource"> {
  /** Writes the snapshot again. */
  readonly changed: () => void;
}

/** Nothing is registered yet. The end waits for hooks that run in the background, then removes the snapshot. */
export function openEvents({ context, paths }: Pick<HostOptions, "context" | "paths">, files: HostFiles): HostEvents {
  const dispatcher = new HookDispatcher();
  dispatcher.sinks.add(files.sink);
  const sources = new Set<() => readonly HookIdentity[]>([
    () => dispatcher.hooks().filter(({ derived }) => derived !== true),
  ]);
  const live = openLive({
    folder: paths.run,
    argv: ["hermes", ...process.argv.slice(2)],
    hooks: () => [...sources].flatMap((source) => source()),
    reloads: true,
    redact: files.redact,
    onError: (error) => files.warnOnce(`${paths.run} cannot be written: ${problemOf(error)}`),
  });
  dispatcher.sinks.add(live.sink);
  const registry = new HookRegistry((sentence) => {
    context.warn(sentence);
    files.log.error(sentence);
  });
  // Before any plugin is loaded, which may ask for it (seed 002).
  install_as_default(registry);
  return {
    dispatcher,
    registry,
    changed: live.changed,
    addLiveSource(source) {
      sources.add(source);
      live.changed();
      return () => {
        sources.delete(source);
        live.changed();
      };
    },
    async [Symbol.asyncDispose]() {
      live.close();
      await dispatcher.drain();
    },
  };
}
