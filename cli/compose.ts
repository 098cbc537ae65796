/** The only place where everything meets: one host, made the same way for every surface. */
import type { DatabaseSync } from "node:sqlite";
import type { AgentRunner, Tool } from "#core/ports/agent";
import type { HookIdentity } from "#core/ports/hook";
import { loadConfig, type Config } from "#core/home/config";
import { HookDispatcher } from "#core/dispatch";
import { demandFor } from "#core/home/demands";
import { HermesError, problemOf } from "#core/errors";
import { openLive } from "#core/home/live";
import type { LogFile } from "#core/home/log";
import { mirrorFrames } from "#core/mirror";
import { agentHomes } from "#core/agent-mark";
import { guardedPaths, homePaths, userHome, type HomePaths } from "#core/home/paths";
import { HookRegistry } from "#core/registry";
import type { SqliteSessions } from "#agent/sessions";
import type { PluginHost } from "#plugins/host";
import type { AskPerson } from "#sandbox/shell/hook";
import { openFiles } from "./host-files.ts";
import { openSessions } from "./host-sessions.ts";
import { createModelSwitch, type ModelSwitch } from "./model-switch.ts";
import { createPluginTurns, type PluginTurns } from "./plugin-turns.ts";
import { createReloads, type ReloadListener, type Reloads } from "./reload.ts";
import { listenForReloads } from "./reload-requests.ts";
import { createShellHooks } from "./shell-hooks.ts";
import { createWalls } from "./walls.ts";
import type { CliContext, GlobalOptions } from "./context.ts";

export interface HostOptions {
  readonly context: CliContext;
  readonly globals: GlobalOptions;
  readonly paths: HomePaths;
  /** What starts here, and the platform of its sessions. */
  readonly surface: "cli" | "gateway";
  /** True when a person can be asked for consent: standard input and standard error are terminals. */
  readonly interactive: boolean;
  /** Asks the user during a turn what a hook wants approval for; absent where there is no user. */
  readonly ask?: AskPerson | undefined;
}

/** Sends a plugin's text to the home channel. Rejects when that cannot be done, with a sentence that says why. */
export type Deliver = (message: { readonly text: string; readonly plugin: string }) => Promise<void>;

export interface Host extends AsyncDisposable {
  /** The configuration of now: a reload puts another one in its place, so ask for it where it is needed. */
  readonly config: Config;
  readonly paths: HomePaths;
  readonly surface: string;
  readonly dispatcher: HookDispatcher;
  readonly registry: HookRegistry;
  readonly log: LogFile;
  /** Shows a sentence to the user, once. */
  readonly warn: (sentence: string) => void;
  readonly sessions: SqliteSessions;
  /** `state.db`, or a database in memory where the file cannot be used. */
  readonly database: DatabaseSync;
  readonly redact: (text: string) => string;
  readonly plugins: PluginHost;
  /** The turns that plugins asked for. */
  readonly pluginTurns: PluginTurns;
  readonly runner: AgentRunner;
  readonly model: ModelSwitch;
  /** The tools that the model may call now. */
  tools(): readonly Tool[];
  /**
   * Reloads configuration, shell hooks and plugins and swaps them in one step: what is running ends as it began,
   * the next event meets the new ones. What is wrong keeps its last good version. Never asks a person, never rejects.
   */
  readonly reload: Reloads["reload"];
  /** Calls `listener` after each swap of a reload. Returns its undo. */
  onReload(listener: ReloadListener): () => void;
  /** What `ctx.deliver` of plugins does from now on; it rejects before. */
  setDeliver(deliver: Deliver): void;
  /** Adds hooks that are not the dispatcher's to the live snapshot of `hermes hooks list --live`. Returns its undo. */
  addLiveSource(hooks: () => readonly HookIdentity[]): () => void;
}

/**
 * Reads the configuration, settles consent, loads the plugins and makes what runs turns. Throws a HermesError when
 * the configuration is wrong; whatever else is missing (a disk that takes no writes, a broken plugin) is a warning.
 */
export async function createHost(options: HostOptions): Promise<Host> {
  const { context, globals, paths, surface } = options;
  let config = await loadConfig(paths, context.env);
  for (const warning of config.warnings) context.warn(warning);
  demandFor(surface, config);

  const undo = new AsyncDisposableStack();
  try {
    const files = openFiles(options);
    undo.defer(() => files.close());
    files.keepSecret(config.values);
    const dispatcher = new HookDispatcher();
    undo.defer(() => dispatcher.drain());
    dispatcher.sinks.add(files.sink);
    const liveSources = new Set<() => readonly HookIdentity[]>([() => dispatcher.hooks()]);
    const live = openLive({
      folder: paths.run,
      argv: ["hermes", ...process.argv.slice(2)],
      hooks: () => [...liveSources].flatMap((source) => source()),
      reloads: true,
      redact: files.redact,
      onError: (error) => files.warnOnce(`${paths.run} cannot be written: ${problemOf(error)}`),
    });
    undo.defer(live.close);
    dispatcher.sinks.add(live.sink);
    const registry = new HookRegistry((sentence) => {
      context.warn(sentence);
      files.log.error(sentence);
    });
    const sessions = await openSessions(paths, files.warnOnce);
    undo.defer(() => sessions.close());
    const model = createModelSwitch(config.values.model, context.env);

    const walls = createWalls({ home: paths.home, env: context.env, note: context.warn });
    const shellHooks = createShellHooks({
      ...options,
      dispatcher,
      onUnrecorded: files.warnOnce,
      wallFor: (profile) => walls(profile ?? config.values.sandbox?.hooks ?? "off"),
    });
    const firstHooks = await shellHooks.prepare(config, { mayAsk: options.interactive });
    for (const warning of firstHooks.warnings) context.warn(warning);
    firstHooks.swap();

    const { createGuardedFiles } = await import("#agent/guard/files");
    const { createBuiltinTools } = await import("#agent/tools/builtin");
    const guard = createGuardedFiles([paths, ...outerHomes(context.env)].flatMap(guardedPaths), {
      home: userHome(context.env),
      env: context.env,
      extra: shellHooks.scripts,
    });
    const { createBackgroundCommands } = await import("#agent/tools/background");
    const background = undo.use(createBackgroundCommands());
    const makeTools = ({ values }: Config) =>
      createBuiltinTools({
        guard,
        home: paths.home,
        env: context.env,
        envPassthrough: values.agent.env_passthrough,
        wall: walls(values.sandbox?.tools ?? "auto"),
        background,
      });
    let builtinTools = makeTools(config);

    let deliver: Deliver = ({ plugin }) =>
      Promise.reject(new HermesError("HERMES_PLUGIN_UNAVAILABLE", { plugin, call: "deliver" }));
    const { createPluginHost } = await import("#plugins/host");
    const plugins = createPluginHost({
      paths,
      dispatcher,
      registry,
      log: files.log,
      warn: context.warn,
      builtinTools: [...builtinTools.map(({ name }) => name), "delegate_task"],
      safeMode: globals.safeMode,
      env: context.env,
      run_turn: (request) => turns.run(request),
      deliver: (message) => deliver(message),
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
      modelId: () => model.describe().id,
      mirror: mirrorFrames(registry, files.redact),
      maxIterations: () => config.values.agent.max_iterations,
      maxRetries: () => config.values.model.max_retries,
      cwd: process.cwd(),
      onSessionEnd: (sessionId) => void background.endSession(sessionId),
      log: files.log,
    });
    const turns = createPluginTurns({ runner, sessions: sessions.store, surface, log: files.log });
    undo.use(turns);
    await plugins.load(config);
    const { start_if_dashboard_available, stop } = await import("#core/forwarder");
    undo.defer(() => stop());
    start_if_dashboard_available(registry, {
      src: surface,
      home: paths.home,
      env: context.env,
      redact: files.redact,
      warn: context.warn,
      log: (sentence) => files.log.warn(sentence),
    });

    const listeners = new Set<ReloadListener>();
    const reloads = createReloads({
      paths,
      env: context.env,
      config: () => config,
      check: (other) => {
        demandFor(surface, other);
        model.check(other.values.model);
        // Before the plugins are loaded with their new settings: they may write into the log at once.
        files.keepSecret(other.values);
      },
      shellHooks,
      plugins,
      swap: (other) => {
        config = other;
        model.configure(other.values.model);
        builtinTools = makeTools(other);
      },
      listeners,
      onChange: live.changed,
      log: files.log,
      warn: context.warn,
      note: (sentence) => context.note(`warning: ${sentence}`),
    });
    undo.defer(() => reloads.close());
    const onError = (problem: string) => files.log.error(problem);
    undo.defer(listenForReloads({ folder: paths.run, reload: () => reloads.reload({ everyFile: true }), onError }));
    dispatcher.onChange = live.changed;
    live.changed();
    undo.defer(sessions.pruneSoon(config.values.sessions.retention_days));
    const disposal = undo.move();
    return {
      get config() {
        return config;
      },
      paths,
      surface,
      dispatcher,
      registry,
      log: files.log,
      warn: context.warn,
      sessions: sessions.store,
      database: sessions.database,
      redact: files.redact,
      plugins,
      pluginTurns: turns,
      runner,
      model,
      tools,
      reload: reloads.reload,
      onReload(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      setDeliver(send) {
        deliver = send;
      },
      addLiveSource(source) {
        liveSources.add(source);
        live.changed();
        return () => {
          liveSources.delete(source);
          live.changed();
        };
      },
      [Symbol.asyncDispose]: () => disposal.disposeAsync(),
    };
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

/** The homes of the agents around this one, whose limits hold here, too. */
function outerHomes(env: NodeJS.ProcessEnv): readonly HomePaths[] {
  return agentHomes(env).map((home) => homePaths(home, env));
}
