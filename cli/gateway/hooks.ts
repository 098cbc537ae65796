/** The gateway hooks of a home in the running gateway: registered, listed live, reloaded. */
import type { Config } from "#core/home/config";
import { createGatewayHooks, type GatewayHooks } from "#gateway/hooks/host";
import { DEFAULT_TIMEOUT_SECONDS } from "#core/ports/tier";
import type { Host } from "../host/host.ts";
import { createTier, findCodeProblem } from "../tiers.ts";

/** Loads the hooks of `hooks/`. Disposing of the result ends them. */
export async function openGatewayHooks(host: Host, options: { safeMode: boolean; env: NodeJS.ProcessEnv }) {
  const { log, registry, warn, paths, dispatcher, database } = host;
  const hooks: GatewayHooks = createGatewayHooks({
    folder: paths.hooks,
    registry,
    record: (run, hook) => dispatcher.sinks.record(run, hook),
    log,
    warn,
    safeMode: options.safeMode,
    timeoutSeconds: () => timeoutOf(host.config),
    findCodeProblem,
    createTier: (name) => createTier(name, { env: options.env, database, log }),
  });
  await hooks.load();
  const undoLive = host.addLiveSource(() => hooks.identities());
  const undoReload = host.addReloadStage(async (config, { everyFile }) => {
    const staged = await hooks.stage({ everyFile, timeoutSeconds: timeoutOf(config) });
    return {
      before: staged.before,
      after: staged.after,
      swap() {
        const { changes, warnings, failures } = staged.swap();
        return (notes) => {
          for (const change of changes) notes.changed(change);
          for (const warning of warnings) notes.warn(warning);
          for (const failure of failures) notes.fail(failure);
        };
      },
    };
  });
  return {
    drain: (ms: number) => hooks.drain(ms),
    async [Symbol.asyncDispose]() {
      undoReload();
      undoLive();
      await hooks[Symbol.asyncDispose]();
    },
  };
}

function timeoutOf({ values }: Config): number {
  return values.gateway?.hooks?.timeout_seconds ?? DEFAULT_TIMEOUT_SECONDS;
}
