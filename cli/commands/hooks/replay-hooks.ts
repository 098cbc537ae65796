/** The hooks as they are configured now, loaded to be fired at and for nothing else. */
import { openApprovals } from "#allowlist/approvals";
import { findScriptAccessProblem } from "#allowlist/script-access";
import { visible } from "#allowlist/visible";
import { scriptOf } from "#allowlist/words";
import { HookDispatcher } from "#core/dispatch";
import { hookLimits } from "#core/hook-limits";
import type { Config } from "#core/home/config";
import { openLog } from "#core/home/log";
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
import { openPython, pythonPlugins } from "#cli/python";
import { wallsOfHooks } from "#cli/walls";

export interface ReplayHooksOptions {
  readonly config: Config;
  readonly paths: HomePaths;
  readonly globals: GlobalOptions;
  readonly context: CliContext;
  readonly redact: (text: string) => string;
}

export interface ReplayHooks extends AsyncDisposable {
  readonly dispatcher: HookDispatcher;
}

/**
 * Registers the approved shell hooks and the enabled plugins; nothing in safe mode. Warns of each hook that is left
 * out. Runs are not logged, nobody is asked, and no approval is given. The end unloads the plugins.
 */
export async function openReplayHooks(options: ReplayHooksOptions): Promise<ReplayHooks> {
  const { config, globals, context } = options;
  const dispatcher = new HookDispatcher();
  dispatcher.limits = () => hookLimits(config.values.hooks_limits);
  const undo = new AsyncDisposableStack();
  try {
    if (globals.safeMode) context.warn("In safe mode no hooks are loaded.");
    else addShellHooks(dispatcher, undo, options);
    await addPlugins(dispatcher, undo, options);
    const disposal = undo.move();
    return { dispatcher, [Symbol.asyncDispose]: () => disposal.disposeAsync() };
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
  { config, paths, globals, context, redact }: ReplayHooksOptions,
): Promise<void> {
  const { env, warn } = context;
  const onError = (problem: unknown) => warn(`${paths.log} cannot be written: ${String(problem)}`);
  const log = openLog({ path: paths.log, level: globals.logLevel, redact, onError });
  undo.defer(() => log.close());
  const python = undo.use(openPython({ config: () => config, home: paths.home, env, log }));
  const plugins = createPluginHost({
    paths,
    dispatcher,
    registry: new HookRegistry(warn),
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
