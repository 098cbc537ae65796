/** `hermes serve`: gateway, worker, dashboard and monitoring in one process, from their start to their drain. */
import { isDeepStrictEqual } from "node:util";
import type { Command } from "#cli/command-line/command";
import { EXIT } from "#core/errors";
import type { Config } from "#core/home/config";
import { openDatabase } from "#core/home/database";
import { demandVisible } from "#core/home/hidden";
import { HookRegistry } from "#core/registry";
import type { DatabaseProbe } from "#daemon/monitoring/probe";
import type { Monitoring } from "#daemon/monitoring/server";
import { openDashboard, type OpenDashboard } from "#cli/commands/dashboard/open";
import { createHost } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { showRuns, tellTurns } from "#cli/gateway/run";
import { claimHome } from "../home-claim.ts";
import type { Host } from "../host/host.ts";
import { databaseProbe, openMonitoring } from "../host/monitoring.ts";
import { keepMemoryFlat } from "../memory.ts";
import { onHangup, untilStopped } from "../shutdown.ts";
import { isWaitingForDatabase } from "../storage.ts";
import { watchHost } from "../watch.ts";
import { ServedDaemons } from "./daemons.ts";
import { createServedGateway, type ServedGateway } from "./gateway.ts";
import { connectSystemd } from "./notify.ts";
import { ServedWorker } from "./worker.ts";

/** The options of `hermes serve`. */
export interface ServeFlags {
  /** Allows a dashboard that other machines can reach. */
  readonly insecure?: true;
}

/** Runs until SIGTERM or SIGINT, then drains and ends with 0; a second signal cuts the drain (130, 143). */
export async function runServe(flags: ServeFlags, command: Command, context: CliContext): Promise<void> {
  const cut = Promise.withResolvers<number>();
  let mayCut = false;
  const stopped = untilStopped(
    (code) => {
      // During the start there is no drain to cut, and a third request does not wait for tasks either.
      if (!mayCut) process.exit(code);
      mayCut = false;
      cut.resolve(code);
    },
    () => {
      // Nothing has begun that could be drained.
      if (!mayCut && isWaitingForDatabase()) process.exit(EXIT.ok);
    },
  );
  // Without a terminal, SIGHUP only reopens log files.
  onHangup(() => undefined);
  keepMemoryFlat();
  const toSystemd = connectSystemd(context);
  await using undo = new AsyncDisposableStack();
  const probe = databaseProbe(context.paths(command).state);
  const service = await start(undo, { flags, command, context, probe });
  mayCut = true;
  const { host, monitoring, worker, gateway, daemons } = service;
  using systemd = toSystemd(() => takesWrites(probe, host));
  systemd.ready();
  monitoring?.begin();
  announce(service, context);
  await stopped;
  systemd.stopping();
  monitoring?.drain();
  tellTurns(gateway.active() + daemons.active() + host.pluginTurns.active, context);
  tellTasks(worker.active, context);
  const drained = Promise.all([gateway.drain(), daemons.drain(), worker.stop()]);
  const code = await Promise.race([drained.then(() => undefined), cut.promise]);
  if (code === undefined) return;
  context.note("Stopped.");
  // Interrupted tasks are queued again, which is not left out.
  worker.hurry();
  await worker.stop();
  process.exit(code);
}

interface Start {
  readonly flags: ServeFlags;
  readonly command: Command;
  readonly context: CliContext;
  readonly probe: DatabaseProbe;
}

interface Service {
  readonly host: Host;
  readonly dashboard: OpenDashboard | undefined;
  readonly monitoring: Monitoring | undefined;
  readonly worker: ServedWorker;
  readonly gateway: ServedGateway;
  readonly daemons: ServedDaemons;
}

/** Starts everything, or throws; then `undo` ends what has been started. */
async function start(undo: AsyncDisposableStack, { flags, command, context, probe }: Start): Promise<Service> {
  const paths = context.paths(command);
  const globals = context.globals(command);
  const { warn } = context;
  demandVisible(paths, "hermes serve");
  undo.defer(claimHome({ role: "serve", run: paths.run, warn }));
  undo.defer(claimHome({ role: "gateway", run: paths.run, warn }));
  // A host can do without its database. A service cannot.
  openDatabase(paths.state, warn).close();
  const forwarded = new HookRegistry((sentence) => {
    context.warn(sentence);
    host.log.error(sentence);
  });
  const interactive = process.stdin.isTTY && process.stderr.isTTY;
  const host = undo.use(await createHost({ context, globals, paths, surface: "serve", interactive, forwarded }));
  showRuns(host, context);
  const { config, log, redact } = host;
  let dashboard: OpenDashboard | undefined;
  if (config.values.dashboard?.enabled) {
    dashboard = undo.use(
      await openDashboard({ paths, config, flags, env: context.env, registry: forwarded, log, redact, warn }),
    );
    undo.defer(await forwardNow(host));
  }
  const monitoring = undo.use(await openMonitoring(host, probe));
  const worker = new ServedWorker(host, context.env);
  undo.defer(() => worker.stop());
  await worker.open();
  const daemons = new ServedDaemons(host, { context, globals });
  undo.defer(() => daemons.drain());
  await daemons.start();
  // Last of what listens: from here on it takes messages.
  const gateway = createServedGateway(host, { context, safeMode: globals.safeMode });
  undo.defer(() => gateway.drain());
  await gateway.start();
  await worker.start();
  host.onReload((changed, notes) => {
    for (const section of FIXED.filter((name) => isChanged(name, config, changed)))
      notes.warn(`Restart hermes serve to apply the changes of ${section} in config.yaml.`);
  });
  undo.defer(await watchHost(host));
  return { host, dashboard, monitoring, worker, gateway, daemons };
}

/** Sends this process's events to its own dashboard from now on. The returned function sends the last of them. */
async function forwardNow({ registry }: Host): Promise<() => Promise<void>> {
  const { start_if_dashboard_available, stop } = await import("#core/forwarder");
  start_if_dashboard_available(registry);
  return stop;
}

/** Sections that are read at the start only. */
const FIXED = ["dashboard", "monitoring", "daemons"] as const;

function isChanged(section: (typeof FIXED)[number], before: Config, after: Config): boolean {
  return !isDeepStrictEqual(before.values[section], after.values[section]);
}

async function takesWrites(probe: DatabaseProbe, { paths, log }: Host): Promise<boolean> {
  const problem = await probe.problem();
  if (problem !== null) log.error(`the watchdog of systemd gets no sign of life: ${paths.state}: ${problem}`);
  return problem === null;
}

function announce({ host, dashboard, monitoring, gateway }: Service, context: CliContext): void {
  gateway.announce();
  if (dashboard !== undefined) {
    context.out(`The dashboard is at ${dashboard.url}`);
    // Not into a service's journal, which others may read.
    if (process.stdout.isTTY) context.out(`Sign in (valid once, for ten minutes): ${dashboard.signInUrl()}`);
    else context.note('"hermes dashboard --link" prints a sign-in link of the dashboard.');
  }
  for (const { name, url } of monitoring?.addresses ?? []) context.out(`${name}: ${url}`);
  const { enabled, max_concurrent: most } = host.config.values.background;
  const worker = enabled ? `up to ${most} background tasks at a time` : "no background tasks";
  context.note(`The service is running, with ${worker}. Press Ctrl+C to stop it.`);
}

function tellTasks(tasks: number, context: CliContext): void {
  if (tasks > 0) context.note(`Waiting for ${tasks === 1 ? "1 running task" : `${tasks} running tasks`} to finish …`);
}
