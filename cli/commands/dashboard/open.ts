/** The dashboard of a home, as `hermes dashboard` and `hermes serve` have it. */
import type { DatabaseSync } from "node:sqlite";
import type { Config } from "#core/home/config";
import { HermesError, problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import { userHome, type HomePaths } from "#core/home/paths";
import type { HookRegistry } from "#core/registry";
import type { ModelPrices } from "#core/usage-text";
import { bindAddress } from "#dashboard/addresses";
import { createDashboard, type DashboardServer } from "#dashboard/server";
import { LazyStorage } from "../../storage.ts";
import { programVersion } from "../../version.ts";

export interface OpenDashboardOptions {
  readonly paths: HomePaths;
  readonly config: Config;
  /** What the command line says instead of the configuration. */
  readonly flags: { readonly host?: string; readonly port?: number; readonly insecure?: true; readonly nats?: true };
  readonly env: NodeJS.ProcessEnv;
  /** Where the events of other processes are published. */
  readonly registry: HookRegistry;
  readonly log: Log;
  readonly redact: (text: string) => string;
  readonly warn: (sentence: string) => void;
}

export interface OpenDashboard extends AsyncDisposable, Pick<DashboardServer, "url" | "signInUrl"> {}

const PORT = 9119;

/** Listens. Throws HERMES_DASHBOARD_* when it cannot, and HERMES_STATE_NEWER. */
export async function openDashboard(options: OpenDashboardOptions): Promise<OpenDashboard> {
  const { paths, config, flags, env, registry, log, redact, warn } = options;
  const settings = config.values.dashboard ?? {};
  const host = bindAddress(flags.host ?? settings.host, flags.insecure);
  await using undo = new AsyncDisposableStack();
  const database = await openStore(paths.state, warn);
  undo.defer(() => database?.close());
  const storage = database && undo.use(new LazyStorage({ database, config, env, home: paths.home }));
  const dashboard = createDashboard({
    host,
    port: flags.port ?? settings.port ?? PORT,
    allowedHosts: settings.allowed_hosts ?? [],
    registry,
    database,
    stored: storage && (await openStored(database, storage, options)),
    configured: async () => {
      const { collectHooks } = await import("../hooks/list.ts");
      return collectHooks(paths, env);
    },
    discovery: paths.discovery,
    run: paths.run,
    log,
    redact,
    warn,
    version: programVersion(),
  });
  await dashboard.start();
  undo.defer(() => dashboard.stop());
  if (flags.nats) undo.defer(await readStream(dashboard, options));
  const disposal = undo.move();
  return {
    get url() {
      return dashboard.url;
    },
    signInUrl: () => dashboard.signInUrl(),
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}

/** Shows the events of the configured stream. Returns its undo. */
async function readStream(
  dashboard: DashboardServer,
  { paths, config, env, log, warn }: OpenDashboardOptions,
): Promise<() => Promise<void>> {
  const { NatsReader } = await import("#dashboard/nats-reader");
  const reader = new NatsReader({
    settings: natsSettings(config),
    userHome: userHome(env),
    home: paths.home,
    take: (frames) => dashboard.take(frames),
    warn(sentence) {
      warn(sentence);
      log.warn(sentence);
    },
    info: (sentence) => log.info(`dashboard: ${sentence}`),
  });
  reader.start();
  return () => reader.close();
}

/** The stream that `--nats` reads. Throws HERMES_USAGE when there is none, and HERMES_CONFIG_VARIABLE. */
export function natsSettings(config: Config) {
  config.demand("forward");
  const { nats } = config.values.forward ?? {};
  if (nats !== undefined) return nats;
  const problem = "--nats needs the servers of a stream: set forward.nats.servers in config.yaml.";
  throw new HermesError("HERMES_USAGE", { problem });
}

/** What the page shows of the home's sessions, tasks, deliveries and daemons. Tasks whose process is gone are settled before. */
async function openStored(database: DatabaseSync, storage: LazyStorage, options: OpenDashboardOptions) {
  const { paths, config, redact, log } = options;
  const { EmbeddedReplays } = await import("#daemon/storage/embedded-replays");
  const { createDaemonDesk } = await import("#cli/daemon/desk");
  const { createTaskDesk } = await import("../../tasks/desk.ts");
  const { searchSessions } = await import("#agent/session-search");
  const { SqliteSessions } = await import("#agent/sessions");
  const { toMarkdown } = await import("../sessions/markdown.ts");
  const { storedSessions } = await import("./stored-sessions.ts");
  const { taskReports } = await import("../../tasks/home.ts");
  const { deliveries } = await storage.get();
  const tasks = createTaskDesk({
    storage: () => storage.get(),
    folder: paths.tasks,
    persist: () => config.values.background.persist_on_restart,
    deliveriesFor: taskReports(config, redact, deliveries),
    redact,
  });
  const daemons = createDaemonDesk({ storage: () => storage.get(), run: paths.run, redact });
  const store = new SqliteSessions(database, (error) => log.error(`dashboard: ${problemOf(error)}`));
  const sessions = storedSessions({
    store,
    search: (query) => searchSessions(database, { ...query, redact }),
    toMarkdown,
    prices: await pricesOf(options),
  });
  return { tasks, deliveries, daemons, sessions, replays: new EmbeddedReplays(database) };
}

/** The prices of the configured model; none, and a line in the log, when the configuration names no model. */
async function pricesOf({ config, env, log }: OpenDashboardOptions): Promise<ModelPrices | undefined> {
  const { createModelSwitch } = await import("../../model-switch.ts");
  try {
    return createModelSwitch(config.values.model, env).prices();
  } catch (error) {
    log.warn(`dashboard: sessions are shown without their cost: ${problemOf(error)}`);
    return undefined;
  }
}

/** A separate connection for events. Without a usable file, events are kept in memory only. */
async function openStore(file: string, warn: (sentence: string) => void): Promise<DatabaseSync | undefined> {
  const { openDatabase } = await import("#core/home/database");
  try {
    return openDatabase(file, warn);
  } catch (error) {
    if ((error as { code?: unknown }).code === "HERMES_STATE_NEWER") throw error;
    warn(`Events are kept in memory only: ${problemOf(error)}`);
    return undefined;
  }
}
