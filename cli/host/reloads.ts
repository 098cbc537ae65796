/** The part of a host that applies changes of the home to what runs. */
import { demandFor } from "#core/home/demands";
import type { HostFiles } from "../host-files.ts";
import type { ModelSwitch } from "../model-switch.ts";
import { createReloads, type ReloadListener, type ReloadStage } from "../reload.ts";
import { listenForReloads } from "../reload-requests.ts";
import type { ShellHooks } from "../shell-hooks.ts";
import type { CurrentConfig, Host, HostOptions } from "./host.ts";
import type { HostMcp } from "./mcp.ts";
import type { HostTools } from "./tools.ts";

export interface HostReloads extends AsyncDisposable, Pick<Host, "reload" | "onReload" | "addReloadStage"> {}

export interface HostReloadsOptions extends Pick<HostOptions, "context" | "paths" | "surface"> {
  readonly current: CurrentConfig;
  readonly files: HostFiles;
  readonly model: ModelSwitch;
  readonly shellHooks: ShellHooks;
  readonly plugins: Host["plugins"];
  readonly builtin: HostTools;
  readonly mcp: HostMcp;
  readonly onChange: () => void;
}

/** From now on `hermes hooks reload` reaches this process. The end answers no more requests and waits for a reload. */
export function openReloads(options: HostReloadsOptions): HostReloads {
  const { context, paths, surface, current, files, model, shellHooks, plugins, builtin, mcp, onChange } = options;
  const listeners = new Set<ReloadListener>();
  const stages = new Set<ReloadStage>();
  const reloads = createReloads({
    paths,
    env: context.env,
    config: () => current.config,
    check: (other) => {
      demandFor(surface, other);
      model.check(other.values.model);
      // Before the plugins are loaded with their new settings: they may write into the log at once.
      files.keepSecret(other.values);
    },
    shellHooks,
    plugins,
    swap: (other) => {
      current.config = other;
      model.configure(other.values.model);
      builtin.configure(other);
      mcp.configure(other);
    },
    stages,
    listeners,
    onChange,
    log: files.log,
    warn: context.warn,
    note: (sentence) => context.note(`warning: ${sentence}`),
  });
  const stopListening = listenForReloads({
    folder: paths.run,
    reload: (fromPerson) => reloads.reload({ everyFile: true, mayLoosen: fromPerson }),
    onError: (problem) => files.log.error(problem),
  });
  return {
    reload: reloads.reload,
    onReload(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    addReloadStage(stage) {
      stages.add(stage);
      return () => void stages.delete(stage);
    },
    async [Symbol.asyncDispose]() {
      stopListening();
      await reloads.close();
    },
  };
}
