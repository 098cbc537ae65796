/** The hooks as they are configured now, loaded to be fired at and for nothing else. */
import type { DatabaseSync } from "node:sqlite";
import { openApprovals } from "#allowlist/approvals";
import { findScriptAccessProblem } from "#allowlist/script-access";
import { visible } from "#allowlist/visible";
import { scriptOf } from "#allowlist/words";
import { HookDispatcher } from "#core/dispatch";
import { hookLimits } from "#core/hook-limits";
import type { Config } from "#core/home/config";
import { openLog, type Log } from "#core/home/log";
import { userHome, type HomePaths } from "#core/home/paths";
import { HookRegistry } from "#core/registry";
import { createPluginHost } from "#plugins/host";
import { createEntryHooks, Deliveries } from "#sandbox/shell/deliveries";
import { parseHookEntries } from "#sandbox/shell/entries";
import type { ShellHookDependencies } from "#sandbox/shell/hook";
import { requestOf } from "#sandbox/shell/request";
import { listBuiltinTools } from "#cli/builtin-tools";
import type { CliContext, GlobalOptions } from "#cli/context";
import { mcpOrigins } from "#cli/mcp-origins";
import { openPython, pythonPlace, pythonPlugins, type Python } from "#cli/python";
import { wallsOfHooks } from "#cli/walls";

export interface ReplayHooksOptions {
  readonly config: Config;
  readonly paths: HomePaths;
  readonly database: DatabaseSync;
  readonly globals: GlobalOptions;
  readonly context: CliContext;
  readonly redact: (text: string) => string;
  /** False when no gateway event is replayed. */
  readonly loadsGatewayHooks: boolean;
}

export interface ReplayHooks extends AsyncDisposable {
  readonly dispatcher: HookDispatcher;
  /** Has the handlers of gateway events. */
  readonly registry: HookRegistry;
  /** Of every hook. */
  readonly names: ReadonlySet<string>;
}

/** What the code of hooks needs. */
interface HookCode {
  readonly registry: HookRegistry;
  readonly log: Log;
  readonly python: Python;
}

/**
 * Registers the approved shell hooks, the enabled plugins and the gateway hooks; nothing in safe mode. Warns of each
 * hook that is left out. Runs are not logged, nobody is asked, and no approval is given. The end unloads everything.
 */
export async function openReplayHooks(options: ReplayHooksOptions): Promise<ReplayHooks> {
  const { config, paths, globals, context, redact } = options;
  const { env, warn } = context;
  const dispatcher = new HookDispatcher();
  dispatcher.limits = () => hookLimits(config.values.hooks_limits);
  const undo = new AsyncDisposableStack();
  try {
    if (globals.safeMode) warn("In safe mode no hooks are loaded.");
    else addShellHooks(dispatcher, undo, options);
    const onError = (problem: unknown) => warn(`${paths.log} cannot be written: ${String(problem)}`);
    const log = openLog({ path: paths.log, level: globals.logLevel, redact, onError });
    undo.defer(() => log.close());
    const python = undo.use(openPython({ config: () => config, home: paths.home, env, log }));
    const code = { registry: new HookRegistry(warn), log, python };
    await addPlugins(dispatcher, undo, options, code);
    if (options.loadsGatewayHooks) await addGatewayHooks(undo, options, code);
    const names = new Set([...dispatcher.hooks(), ...code.registry.loaded_hooks].map(({ name }) => name));
    const disposal = undo.move();
    return { dispatcher, registry: code.registry, names, [Symbol.asyncDispose]: () => disposal.disposeAsync() };
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

function addShellHooks(
  dispatcher: HookDispatcher,
  undo: AsyncDisposableStack,
  { config, paths, context }: ReplayHooksOptions,
): void {
  const { env, warn } = context;
  const { entries, warnings } = parseHookEntries(config.values.hooks, userHome(env));
  for (const warning of warnings) warn(warning);
  const place = { cwd: process.cwd(), env };
  const approvals = openApprovals(paths.allowlist, config.values.hooks_consent, place);
  for (const warning of approvals.state().warnings) warn(warning);
  const wallFor = wallsOfHooks(config, { home: paths.home, env, note: warn });
  const shellContext = { ...place, home: paths.home, wallFor, ...mcpOrigins(config) };
  const dependencies: ShellHookDependencies = {
    decide: (request) => approvals.decide(request),
    shellContext,
    findAccessProblem: (argv) => findScriptAccessProblem(argv, shellContext),
    findScript: (argv) => scriptOf(argv, shellContext),
    warn,
  };
  const deliveries = new Deliveries();
  for (const entry of entries) {
    if (entry.enabled && entry.problem === null && !approvals.decide(requestOf(entry)).granted) {
      warn(`${visible(entry.command ?? entry.name)} (${entry.event}) is left out, because it is not approved`);
      continue;
    }
    const [hook, ...others] = createEntryHooks(entry, dependencies, deliveries);
    undo.defer(() => hook.close());
    for (const one of [hook, ...others]) dispatcher.register(one);
  }
}

async function addPlugins(
  dispatcher: HookDispatcher,
  undo: AsyncDisposableStack,
  { config, paths, globals, context }: ReplayHooksOptions,
  { registry, log, python }: HookCode,
): Promise<void> {
  const { env, warn } = context;
  const plugins = createPluginHost({
    paths,
    dispatcher,
    registry,
    env,
    log,
    warn,
    builtinTools: (await listBuiltinTools(env)).map(({ name }) => name),
    safeMode: globals.safeMode,
    loadCode: pythonPlugins(python),
  });
  undo.defer(() => plugins.unload());
  await plugins.load(config);
}

/** Loads them as a gateway does. None starts before its first event. */
async function addGatewayHooks(
  undo: AsyncDisposableStack,
  { config, paths, database, globals, context }: ReplayHooksOptions,
  { registry, log, python }: HookCode,
): Promise<void> {
  const { env, warn } = context;
  const { createGatewayHooks } = await import("#gateway/hooks/host");
  const { gatewayHookSettings } = await import("#gateway/hooks/settings");
  const { createTier, tierChecks } = await import("#cli/tiers");
  const hooks = undo.use(
    createGatewayHooks({
      folder: paths.hooks,
      registry,
      record: () => undefined,
      log,
      warn,
      safeMode: globals.safeMode,
      settings: () => gatewayHookSettings(config.values),
      ...tierChecks(() => pythonPlace(config, env)),
      createTier: (name) => createTier(name, { env, database, log, python: () => python.bridge() }),
    }),
  );
  await hooks.load();
}
