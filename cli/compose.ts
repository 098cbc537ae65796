/** The only place where everything meets: one host, made the same way for every surface. */
import type { DatabaseSync } from "node:sqlite";
import { loadConfig, type Config } from "#core/home/config";
import { hookLimits } from "#core/hook-limits";
import { demandFor } from "#core/home/demands";
import { openFiles, type HostFiles } from "./host-files.ts";
import { openSessions, type HostSessions } from "./host-sessions.ts";
import { openEvents, type HostEvents } from "./host/events.ts";
import { openLogStreams, type HostLogs } from "./host/logs.ts";
import { platformOf, type CurrentConfig, type Host, type HostOptions } from "./host/host.ts";
import { openMcp, type HostMcp } from "./host/mcp.ts";
import { openMetrics, type HostMetrics } from "./host/metrics.ts";
import { openRecording, type HostRecording } from "./host/recording.ts";
import { openReloads } from "./host/reloads.ts";
import type { HostTools } from "./host/tools.ts";
import { openWebhooks, type HostWebhooks } from "./host/webhooks.ts";
import { createModelSwitch } from "./model-switch.ts";
import { LazyStorage } from "./storage.ts";
import { createShellHooks, type ShellHooks } from "./shell-hooks.ts";
import { createSessionFiles } from "#sandbox/shell/session-files";
import type { SessionFiles } from "#sandbox/shell/protocol";
import { programVersion } from "./version.ts";
import { createWalls } from "./walls.ts";

/** Surfaces that wait for a database elsewhere that is away. */
const STAYING: ReadonlySet<HostOptions["surface"]> = new Set(["gateway", "serve"]);

/**
 * Reads the configuration, settles consent, loads the plugins and makes what runs turns. Throws a HermesError when
 * the configuration is wrong; whatever else is missing (a disk that takes no writes, a broken plugin) is a warning.
 */
export async function createHost(options: HostOptions): Promise<Host> {
  const { context, paths } = options;
  const current = await readConfig(options);
  const undo = new AsyncDisposableStack();
  try {
    const { files, logs } = undo.use(await openLogs(options, current));
    const events = undo.use(openEvents(options, files));
    events.dispatcher.limits = () => hookLimits(current.config.values.hooks_limits);
    const sessions = await openSessions(paths, files.warnOnce);
    undo.defer(() => sessions.close());
    const { database } = sessions;
    const lazy = options.storage ?? undo.use(openStorage(options, current.config, database));
    const storage = () => lazy.get();
    const { metrics, webhooks, recording } = undo.use(
      await startReports(options, { current, files, events, sessions, storage }),
    );
    const model = createModelSwitch(current.config.values.model, context.env);
    const walls = createWalls({ home: paths.home, env: context.env, note: context.warn });
    const sessionFiles = openSessionFiles(options, sessions, files);
    const mcp = undo.use(openMcp({ ...options, files, walls }));
    const shellHooks = undo.use(await openShellHooks(options, { current, files, events, walls, sessionFiles, mcp }));

    const projectInstructions = await settleProject(options, current);
    mcp.configure(current.config);
    const builtin = undo.use(await openBuiltin(options, { current, files, walls, shellHooks, sessionFiles }));
    const { openAgent } = await import("./host/agent.ts");
    const known = { ...options, current, files, events, sessions, model, builtin, mcp, webhooks, projectInstructions };
    const agent = undo.use(openAgent(known));
    await agent.plugins.load(current.config);
    const { openForwarding } = await import("./host/forwarding.ts");
    const forwarding = undo.use(await openForwarding({ ...options, config: current.config, files, events }));
    const { plugins } = agent;
    const reloads = undo.use(
      openReloads({ ...options, current, files, model, shellHooks, plugins, builtin, mcp, onChange: events.changed }),
    );
    for (const part of [logs, webhooks, metrics, recording, agent.python, forwarding])
      reloads.onReload((config) => part.configure(config));
    events.dispatcher.onChange = events.changed;
    events.changed();
    undo.defer(sessions.pruneSoon(current.config.values.sessions.retention_days));
    const disposal = undo.move();
    return {
      ...agent,
      get config() {
        return current.config;
      },
      paths,
      surface: platformOf(options.surface),
      dispatcher: events.dispatcher,
      registry: events.registry,
      addLiveSource: events.addLiveSource,
      log: files.log,
      redact: files.redact,
      warn: context.warn,
      sessions: sessions.store,
      database,
      storage,
      model,
      webhooks,
      flushMetrics: metrics.flush,
      reload: reloads.reload,
      onReload: reloads.onReload,
      addReloadStage: reloads.addReloadStage,
      [Symbol.asyncDispose]: () => disposal.disposeAsync(),
    };
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

/** Opened when it is first asked for. */
function openStorage(options: HostOptions, config: Config, database: DatabaseSync): LazyStorage {
  const { context, paths, surface, isWorkers } = options;
  // A task waits for as long as its attempt is kept.
  const waits = STAYING.has(surface) || isWorkers ? context.note : undefined;
  return new LazyStorage({ database, config, env: context.env, home: paths.home, waits });
}

async function readConfig({ context, paths, surface }: HostOptions): Promise<CurrentConfig> {
  const config = await loadConfig(paths, context.env);
  for (const warning of config.warnings) context.warn(warning);
  demandFor(surface, config);
  return { config };
}

interface Logs extends AsyncDisposable {
  readonly files: HostFiles;
  readonly logs: HostLogs;
}

/** The instructions of the project that the agent works in, if they are followed. */
async function settleProject(
  { context, paths, instructions }: HostOptions,
  { config }: CurrentConfig,
): Promise<string | undefined> {
  if (instructions === undefined || !config.values.agent.instructions) return undefined;
  const { settleInstructions } = await import("./instructions/settle.ts");
  return settleInstructions({ ...instructions, cwd: process.cwd(), paths, context });
}

/** Opens the log and the hook log, and streams the log if this surface does. */
async function openLogs(options: HostOptions, { config }: CurrentConfig): Promise<Logs> {
  const { context, paths, surface, isWorkers } = options;
  const files = openFiles(options);
  files.keepSecret(config.values);
  const logs = openLogStreams({ files, paths, surface: isWorkers ? "worker" : surface, env: context.env });
  await logs.configure(config);
  return {
    files,
    logs,
    async [Symbol.asyncDispose]() {
      await logs[Symbol.asyncDispose]();
      await files.close();
    },
  };
}

function openSessionFiles({ context, paths }: HostOptions, { store }: HostSessions, files: HostFiles): SessionFiles {
  return createSessionFiles({
    folder: paths.sessionFiles,
    sessions: store,
    version: programVersion,
    place: { cwd: process.cwd(), home: paths.home, env: context.env },
    warn: context.warn,
    keepSecret: (variables) => files.keepSecret(variables),
  });
}

interface ShellHookParts {
  readonly current: CurrentConfig;
  readonly files: HostFiles;
  readonly events: HostEvents;
  readonly walls: ReturnType<typeof createWalls>;
  readonly sessionFiles: SessionFiles;
  readonly mcp: HostMcp;
}

/** Registers the configured shell hooks, after asking for the consent that is missing. */
async function openShellHooks(options: HostOptions, parts: ShellHookParts): Promise<ShellHooks> {
  const { current, files, events, walls, sessionFiles, mcp } = parts;
  const shellHooks = createShellHooks({
    ...options,
    dispatcher: events.dispatcher,
    onUnrecorded: files.warnOnce,
    sessionFiles,
    mcpTool: mcp.toolNamed,
    wallFor: (profile) => walls(profile ?? current.config.values.sandbox?.hooks ?? "off"),
  });
  const first = await shellHooks.prepare(current.config, { mayAsk: options.interactive });
  for (const warning of first.warnings) options.context.warn(warning);
  first.swap();
  return shellHooks;
}

interface BuiltinParts extends Pick<ShellHookParts, "current" | "files" | "walls" | "sessionFiles"> {
  readonly shellHooks: ShellHooks;
}

/** Makes the agent's built-in tools. */
async function openBuiltin({ context, paths }: HostOptions, parts: BuiltinParts): Promise<HostTools> {
  const { current, files, walls, shellHooks, sessionFiles } = parts;
  const { openTools } = await import("./host/tools.ts");
  const onProblem = (problem: string) =>
    files.log.warn(`commands in the sandbox cannot ask hermes for what is hidden from them: ${problem}`);
  const sessionVariables = (id: string) => sessionFiles.environment(id);
  const scripts = await withInbound(shellHooks, current, context.env);
  return openTools({ context, paths, config: current.config, walls, scripts, sessionVariables, onProblem });
}

interface Reports extends AsyncDisposable {
  readonly metrics: HostMetrics;
  readonly webhooks: HostWebhooks;
  readonly recording: HostRecording;
}

/** Counts for the metrics, records firings, and sends events to the endpoints of the configuration. */
async function startReports(
  { context, paths, surface }: HostOptions,
  { current, files, events, sessions, storage }: ReportParts,
): Promise<Reports> {
  const { database } = sessions;
  const metrics = openMetrics({ storage, files, events, surface });
  const isLasting = surface !== "task";
  const webhooks = openWebhooks({ storage, run: paths.run, isLasting, files, events, warn: context.warn });
  const recording = openRecording({ database, files, events, surface: platformOf(surface) });
  for (const part of [metrics, webhooks, recording]) await part.configure(current.config);
  return {
    metrics,
    webhooks,
    recording,
    async [Symbol.asyncDispose]() {
      await recording[Symbol.asyncDispose]();
      await webhooks[Symbol.asyncDispose]();
      await metrics[Symbol.asyncDispose]();
    },
  };
}

interface ReportParts extends Pick<ShellHookParts, "current" | "files" | "events"> {
  readonly sessions: HostSessions;
  readonly storage: Host["storage"];
}

/** The scripts that the agent must not touch. The code for those of inbound webhooks is loaded where there are any. */
async function withInbound(
  { scripts }: Pick<ShellHooks, "scripts">,
  current: CurrentConfig,
  env: NodeJS.ProcessEnv,
): Promise<ShellHooks["scripts"]> {
  if (current.config.values.inbound === undefined) return scripts;
  const { withInboundScripts } = await import("./hook-scripts.ts");
  return withInboundScripts(scripts, () => current.config.values, { cwd: process.cwd(), env });
}
