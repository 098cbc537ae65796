/** The only place where everything meets: one host, made the same way for every surface. */
import type { DatabaseSync } from "node:sqlite";
import type { AgentRunner, RunSink, Tool } from "#core/ports";
import { loadConfig, type Config } from "#core/config";
import { HookDispatcher } from "#core/dispatch";
import { problemOf } from "#core/errors";
import { openJsonLines } from "#core/jsonl";
import { openLive } from "#core/live";
import { openLog, type LogFile } from "#core/log";
import { guardedPaths, userHome, type HomePaths } from "#core/paths";
import { createRedactor, isSecretName } from "#core/redact";
import { HookRegistry } from "#core/registry";
import { fileSink } from "#core/runs";
import type { SessionStore } from "#agent/sessions";
import type { PluginHost } from "#plugins/host";
import type { AskPerson } from "#sandbox/shell/hook";
import { createModelSwitch, type ModelSwitch } from "./model-switch.ts";
import { registerShellHooks } from "./shell-hooks.ts";
import type { CliContext, GlobalOptions } from "./context.ts";

export interface HostOptions {
  readonly context: CliContext;
  readonly globals: GlobalOptions;
  readonly paths: HomePaths;
  /** The platform of the sessions that begin here: `cli`, `gateway`, … */
  readonly surface: string;
  /** True when a person can be asked for consent: standard input and standard error are terminals. */
  readonly interactive: boolean;
  /** Asks a person in the midst of a turn what a hook leaves to them; absent where there is none. */
  readonly ask?: AskPerson | undefined;
  /** Names of the surface's own slash commands, which plugins may not take. */
  readonly commandNames: readonly string[];
}

export interface Host extends AsyncDisposable {
  readonly config: Config;
  readonly paths: HomePaths;
  readonly surface: string;
  readonly dispatcher: HookDispatcher;
  readonly registry: HookRegistry;
  readonly log: LogFile;
  readonly sessions: SessionStore;
  /** `state.db`, or a database in memory where the file cannot be used. */
  readonly database: DatabaseSync;
  readonly redact: (text: string) => string;
  readonly plugins: PluginHost;
  readonly runner: AgentRunner;
  readonly model: ModelSwitch;
  /** The tools that the model may call now. */
  tools(): readonly Tool[];
}

/**
 * Reads the configuration, settles consent, loads the plugins and makes what runs turns. Throws a HermesError when
 * the configuration is wrong; whatever else is missing (a disk that takes no writes, a broken plugin) is a warning.
 */
export async function createHost(options: HostOptions): Promise<Host> {
  const { context, globals, paths, surface } = options;
  const config = await loadConfig(paths, context.env);
  for (const warning of config.warnings) context.warn(warning);
  config.demand("model");
  config.demand("agent");

  const undo = new AsyncDisposableStack();
  try {
    const files = openFiles(options, config);
    undo.defer(() => files.close());
    const dispatcher = new HookDispatcher();
    undo.defer(() => dispatcher.drain());
    dispatcher.sinks.add(files.sink);
    const live = openLive({
      folder: paths.run,
      argv: ["hermes", ...process.argv.slice(2)],
      hooks: () => dispatcher.hooks(),
      redact: files.redact,
      onError: (error) => files.warnOnce(`${paths.run} cannot be written: ${problemOf(error)}`),
    });
    undo.defer(live.close);
    dispatcher.sinks.add(live.sink);
    const registry = new HookRegistry((sentence) => {
      context.warn(sentence);
      files.log.error(sentence);
    });
    const sessions = await openSessions(options, config, files.warnOnce);
    undo.defer(sessions.close);
    const model = createModelSwitch(config.values.model, context.env);

    let shellScripts: readonly string[] = [];
    if (!globals.safeMode) {
      const onUnrecorded = files.warnOnce;
      shellScripts = await registerShellHooks({ ...options, config, dispatcher, onUnrecorded });
    }
    const { createGuardedFiles } = await import("#agent/guarded-files");
    const { createBuiltinTools } = await import("#agent/tools/builtin");
    const guard = createGuardedFiles(guardedPaths(paths), {
      home: userHome(context.env),
      env: context.env,
      extra: () => shellScripts,
    });
    const builtinTools = createBuiltinTools({
      guard,
      env: context.env,
      envPassthrough: config.values.agent.env_passthrough,
    });

    const { createPluginHost } = await import("#plugins/host");
    const plugins = createPluginHost({
      paths,
      dispatcher,
      registry,
      config,
      log: files.log,
      warn: context.warn,
      builtinTools: [...builtinTools.map(({ name }) => name), "delegate_task"],
      builtinCommands: options.commandNames,
      safeMode: globals.safeMode,
      env: context.env,
      run_turn: ({ prompt, plugin }) => runFor(plugin, prompt),
    });
    undo.use(plugins);

    const tools = () => [...builtinTools, ...plugins.tools()];
    const { createAgentRunner } = await import("#agent/runner");
    const runner = createAgentRunner({
      dispatcher,
      registry,
      sessions: sessions.store,
      tools,
      model: () => model.load(),
      maxIterations: () => config.values.agent.max_iterations,
      maxRetries: () => config.values.model.max_retries,
      cwd: process.cwd(),
      log: files.log,
    });
    const stopped = new AbortController();
    undo.defer(() => stopped.abort());
    /** `ctx.run_turn`: a turn in a session of its own, whose frames nobody sees. */
    const runFor = (plugin: string, message: string) =>
      runner.turn({
        session: sessions.store.create({ platform: surface, source: `plugin:${plugin}` }),
        message,
        platform: surface,
        signal: stopped.signal,
        onFrame: () => undefined,
      });
    await plugins.load();
    dispatcher.onChange = live.changed;
    live.changed();
    const disposal = undo.move();
    return {
      config,
      paths,
      surface,
      dispatcher,
      registry,
      log: files.log,
      sessions: sessions.store,
      database: sessions.database,
      redact: files.redact,
      plugins,
      runner,
      model,
      tools,
      [Symbol.asyncDispose]: () => disposal.disposeAsync(),
    };
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

interface Files {
  readonly log: LogFile;
  readonly redact: (text: string) => string;
  readonly sink: RunSink;
  /** Warns that the home takes no writes; once, however many files of it do not. */
  readonly warnOnce: (sentence: string) => void;
  close(): Promise<void>;
}

/** The log and the hook log. A home that takes no writes is one warning, and the conversation goes on. */
function openFiles({ context, globals, paths }: HostOptions, config: Config): Files {
  let warned = false;
  const warnOnce = (sentence: string) => {
    if (warned) return;
    warned = true;
    context.warn(sentence);
  };
  const lost = (file: string) => (error: unknown) => warnOnce(`${file} cannot be written: ${problemOf(error)}`);
  const redact = createRedactor(context.env, secretsOf(config.values));
  const log = openLog({ path: paths.log, level: globals.logLevel, redact, onError: lost(paths.log) });
  const runs = openJsonLines({ path: paths.hookLog, onError: lost(paths.hookLog) });
  const toFile = fileSink({ append: (line) => runs.append(line), redact });
  const flushOnExit = () => runs.flush();
  process.once("exit", flushOnExit);
  return {
    log,
    redact,
    warnOnce,
    sink: (run, hook) => {
      toFile(run, hook);
      if (run.detail !== null) log.warn(run.detail, { event: run.event, hook: run.name, outcome: run.outcome });
    },
    close: async () => {
      runs.close();
      process.off("exit", flushOnExit);
      await log.close();
    },
  };
}

/** Values of the configuration that must never be written: those under keys with secret names. */
function secretsOf(value: unknown, name = ""): readonly string[] {
  if (typeof value === "string") return isSecretName(name) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => secretsOf(inner, key));
}

async function openSessions({ paths }: HostOptions, config: Config, warnOnce: (sentence: string) => void) {
  const { openDatabase, openForReading, openMemoryDatabase } = await import("#core/database");
  const { SessionStore: Store } = await import("#agent/sessions");
  let database: DatabaseSync;
  try {
    database = openDatabase(paths.state);
  } catch (error) {
    if ((error as { code?: unknown }).code === "HERMES_STATE_NEWER") throw error;
    warnOnce(`Nothing of this run is kept: ${problemOf(error)}`);
    database = openForReading(paths.state) ?? openMemoryDatabase();
  }
  const store = new Store(database, (problem) =>
    warnOnce(`What is said from here on is not kept: ${paths.state} cannot be written: ${problem}`),
  );
  const pruning = setImmediate(() => store.prune(config.values.sessions.retention_days));
  return {
    store,
    database,
    close: () => {
      clearImmediate(pruning);
      database.close();
    },
  };
}
