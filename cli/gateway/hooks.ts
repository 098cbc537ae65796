/** The gateway hooks of a home in the running gateway: registered, listed live, reloaded. */
import { createGatewayHooks, type GatewayHooks } from "#gateway/hooks/host";
import { gatewayHookSettings } from "#gateway/hooks/settings";
import { RememberedBounds } from "../guards/remembered-bounds.ts";
import type { Host } from "../host/host.ts";
import { pythonPlace } from "../python.ts";
import { createTier, tierChecks } from "../tiers.ts";

/** Loads the hooks of `hooks/`. Disposing of the result ends them. */
export async function openGatewayHooks(host: Host, options: { safeMode: boolean; env: NodeJS.ProcessEnv }) {
  const { log, registry, warn, paths, dispatcher, database } = host;
  const { env } = options;
  const hooks: GatewayHooks = createGatewayHooks({
    folder: paths.hooks,
    registry,
    record: (run, hook) => dispatcher.sinks.record(run, hook),
    log,
    warn,
    safeMode: options.safeMode,
    settings: () => gatewayHookSettings(host.config.values),
    ...tierChecks(() => pythonPlace(host.config, env)),
    createTier: (name) => createTier(name, { env, database, log, python: () => host.python.bridge() }),
  });
  await hooks.load();
  const undoLive = host.addLiveSource(() => hooks.identities());
  const remembered = new RememberedBounds();
  const undoReload = host.addReloadStage(async (config, { everyFile, mayLoosen = false }) => {
    const staged = await hooks.stage({ everyFile, settings: gatewayHookSettings(config.values) });
    return {
      before: remembered.with(staged.before),
      after: staged.after,
      swap() {
        remembered.update(staged.before, staged.after, mayLoosen);
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
    identities: () => hooks.identities(),
    drain: (ms: number) => hooks.drain(ms),
    async [Symbol.asyncDispose]() {
      undoReload();
      undoLive();
      await hooks[Symbol.asyncDispose]();
    },
  };
}
