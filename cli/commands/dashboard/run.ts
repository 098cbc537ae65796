/** `hermes dashboard`: the server, and the plugins that get the events of other processes. */
import type { Command } from "#cli/command-line/command";
import { loadConfig } from "#core/home/config";
import { HookDispatcher } from "#core/dispatch";
import { demandFor } from "#core/home/demands";
import { HookRegistry, install_as_default } from "#core/registry";
import { bindAddress } from "#dashboard/addresses";
import { createPluginHost } from "#plugins/host";
import type { CliContext } from "../../context.ts";
import { openPython, pythonPlugins } from "../../python.ts";
import { openFiles } from "../../host-files.ts";
import { limitHeapGrowth } from "../../memory.ts";
import { createShutdown, onStopSignal } from "../../shutdown.ts";
import { openBrowser } from "./browser.ts";
import { natsSettings, openDashboard, type OpenDashboard } from "./open.ts";

/** The options of `hermes dashboard`. */
export interface DashboardFlags {
  readonly host?: string;
  readonly port?: number;
  readonly insecure?: true;
  readonly open?: true;
  readonly link?: true;
  readonly nats?: true;
  readonly json?: true;
}

/** Runs until SIGTERM or SIGINT, then drains and ends with 0; a second signal cuts the drain (130, 143). */
export async function runDashboard(flags: DashboardFlags, command: Command, context: CliContext): Promise<void> {
  limitHeapGrowth();
  const paths = context.paths(command);
  const globals = context.globals(command);
  const config = await loadConfig(paths, context.env);
  for (const warning of config.warnings) context.warn(warning);
  demandFor("dashboard", config);
  // Refused before anything is opened.
  bindAddress(flags.host ?? config.values.dashboard?.host, flags.insecure);
  if (flags.nats) natsSettings(config);
  const stopped = Promise.withResolvers<void>();
  const shutdown = createShutdown();
  onStopSignal((code) => {
    // A drain that takes too long ends with the program.
    shutdown.request(code);
    stopped.resolve();
  });

  await using undo = new AsyncDisposableStack();
  const files = openFiles({ context, globals, paths });
  undo.defer(() => files.close());
  files.keepSecret(config.values);
  const registry = new HookRegistry((sentence) => {
    context.warn(sentence);
    files.log.error(sentence);
  });
  install_as_default(registry);
  const python = undo.use(openPython({ config: () => config, home: paths.home, env: context.env, log: files.log }));
  const plugins = createPluginHost({
    paths,
    // Nothing fires here: hooks that plugins register are for the processes that run turns.
    dispatcher: new HookDispatcher(),
    registry,
    env: context.env,
    log: files.log,
    warn: context.warn,
    builtinTools: [],
    safeMode: globals.safeMode,
    loadCode: pythonPlugins(python),
  });
  undo.use(plugins);
  await plugins.load(config);

  const { env, warn } = context;
  const { log, redact } = files;
  const dashboard = undo.use(await openDashboard({ paths, config, flags, env, registry, log, redact, warn }));
  show(dashboard, flags, paths.run, context);
  await stopped.promise;
}

function show(dashboard: OpenDashboard, flags: DashboardFlags, run: string, context: CliContext): void {
  const { url } = dashboard;
  const link = dashboard.signInUrl();
  if (flags.json) context.json({ url, link });
  else context.out(`The dashboard is at ${url}\nSign in (valid once, for ten minutes): ${link}`);
  // A separate code, because the link above may still be used, for example on another machine.
  if (flags.open) openBrowser({ link: dashboard.signInUrl(), run, env: context.env, note: context.note });
}
