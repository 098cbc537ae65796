/** `hermes dashboard`: the server, and the plugins that get the events of other processes. */
import type { DatabaseSync } from "node:sqlite";
import type { Command } from "commander";
import { loadConfig, type Config } from "#core/home/config";
import { HookDispatcher } from "#core/dispatch";
import { demandFor } from "#core/home/demands";
import { problemOf } from "#core/errors";
import { HookRegistry, install_as_default } from "#core/registry";
import { bindAddress } from "#dashboard/addresses";
import { createDashboard, type DashboardServer } from "#dashboard/server";
import { createPluginHost } from "#plugins/host";
import type { CliContext } from "../../context.ts";
import { openFiles } from "../../host-files.ts";
import { createShutdown, onStopSignal } from "../../shutdown.ts";
import { programVersion } from "../../version.ts";
import { openBrowser } from "./browser.ts";
import { limitHeapGrowth } from "./memory.ts";

/** The options of `hermes dashboard`. */
export interface DashboardFlags {
  readonly host?: string;
  readonly port?: number;
  readonly insecure?: true;
  readonly open?: true;
  readonly link?: true;
  readonly json?: true;
}

const PORT = 9119;

/** Runs until SIGTERM or SIGINT, then drains and ends with 0; a second signal cuts the drain (130, 143). */
export async function runDashboard(flags: DashboardFlags, command: Command, context: CliContext): Promise<void> {
  limitHeapGrowth();
  const paths = context.paths(command);
  const globals = context.globals(command);
  const config = await loadConfig(paths, context.env);
  for (const warning of config.warnings) context.warn(warning);
  const { host, port, allowedHosts } = settingsOf(flags, config);
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
  const database = await openStore(paths.state, context);
  undo.defer(() => database?.close());
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
  });
  undo.use(plugins);
  await plugins.load(config);

  const dashboard = createDashboard({
    host,
    port,
    allowedHosts,
    registry,
    database,
    discovery: paths.discovery,
    run: paths.run,
    log: files.log,
    redact: files.redact,
    warn: context.warn,
    version: programVersion(),
  });
  await dashboard.start();
  undo.defer(() => dashboard.stop());
  show(dashboard, flags, paths.run, context);
  await stopped.promise;
}

function settingsOf(flags: DashboardFlags, config: Config) {
  demandFor("dashboard", config);
  const settings = config.values.dashboard ?? {};
  const host = bindAddress(flags.host ?? settings.host, flags.insecure);
  return { host, port: flags.port ?? settings.port ?? PORT, allowedHosts: settings.allowed_hosts ?? [] };
}

/** A separate connection for events. Without a usable file, events are kept in memory only. */
async function openStore(file: string, context: CliContext): Promise<DatabaseSync | undefined> {
  const { openDatabase } = await import("#core/home/database");
  try {
    return openDatabase(file);
  } catch (error) {
    if ((error as { code?: unknown }).code === "HERMES_STATE_NEWER") throw error;
    context.warn(`Events are kept in memory only: ${problemOf(error)}`);
    return undefined;
  }
}

function show(dashboard: DashboardServer, flags: DashboardFlags, run: string, context: CliContext): void {
  const { url } = dashboard;
  const link = dashboard.signInUrl();
  if (flags.json) context.json({ url, link });
  else context.out(`The dashboard is at ${url}\nSign in (valid once, for ten minutes): ${link}`);
  // A separate code, because the link above may still be used, for example on another machine.
  if (flags.open) openBrowser({ link: dashboard.signInUrl(), run, env: context.env, note: context.note });
}
