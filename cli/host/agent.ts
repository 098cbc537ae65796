/** The part of a host that runs turns: plugins with their tools, the runner, and the turns that plugins ask for. */
import { withChangingTools } from "#agent/changing-tools";
import { createAgentRunner } from "#agent/runner";
import { HermesError } from "#core/errors";
import { mirrorFrames, mirrorRetries } from "#core/mirror";
import type { HookRegistry } from "#core/registry";
import { createPluginHost } from "#plugins/host";
import { openCommandRules } from "../command-rules.ts";
import type { HostFiles } from "../host-files.ts";
import type { HostSessions } from "../host-sessions.ts";
import type { ModelSwitch } from "../model-switch.ts";
import { createPluginTurns } from "../plugin-turns.ts";
import { openPython, pythonPlugins } from "../python.ts";
import type { HostEvents } from "./events.ts";
import { platformOf, type CurrentConfig, type Deliver, type Host, type HostOptions } from "./host.ts";
import type { HostMcp } from "./mcp.ts";
import type { HostTools } from "./tools.ts";
import type { HostWebhooks } from "./webhooks.ts";

export interface HostAgent
  extends
    AsyncDisposable,
    Pick<Host, "plugins" | "python" | "pluginTurns" | "runner" | "tools" | "startingServers" | "setDeliver"> {}

export interface HostAgentOptions extends Pick<
  HostOptions,
  "context" | "globals" | "paths" | "surface" | "taskId" | "forwarded"
> {
  readonly current: CurrentConfig;
  readonly files: HostFiles;
  readonly events: HostEvents;
  readonly sessions: HostSessions;
  readonly model: ModelSwitch;
  readonly builtin: HostTools;
  readonly mcp: HostMcp;
  readonly webhooks: HostWebhooks;
  readonly projectInstructions: string | undefined;
}

/** Loads no plugin yet. The end stops the turns of plugins, then unloads the plugins. */
export function openAgent(options: HostAgentOptions): HostAgent {
  const { context, globals, paths, surface, current, files, events, sessions, model, builtin, webhooks } = options;
  const { dispatcher, registry } = events;
  const { forwarded, mcp } = options;
  let deliver: Deliver = ({ plugin }) =>
    Promise.reject(new HermesError("HERMES_PLUGIN_UNAVAILABLE", { plugin, call: "deliver" }));
  const python = openPython({ config: () => current.config, home: paths.home, env: context.env, log: files.log });
  const plugins = createPluginHost({
    paths,
    dispatcher,
    registry: forwarded === undefined ? registry : hearBoth(registry, forwarded),
    log: files.log,
    warn: context.warn,
    builtinTools: [...builtin.builtin().map(({ name }) => name), "delegate_task"],
    safeMode: globals.safeMode,
    env: context.env,
    run_turn: (request) => pluginTurns.run(request),
    deliver: (message) => deliver(message),
    loadCode: pythonPlugins(python),
    commandRules: openCommandRules({ paths, env: context.env, warn: context.warn }),
  });
  const fixed = () => [...builtin.builtin(), ...plugins.tools()];
  const runner = createAgentRunner({
    dispatcher,
    registry,
    sessions: sessions.store,
    tools: fixed,
    changingTools: mcp.tools,
    toolsReady: mcp.ready,
    model: () => model.load(),
    modelId: () => model.describe().id,
    mirror: mirrorFrames(registry, files.redact),
    mirrorRetry: mirrorRetries(registry),
    maxIterations: () => current.config.values.agent.max_iterations,
    maxRetries: () => current.config.values.model.max_retries,
    compactAt: () => current.config.values.sessions.compact_at,
    cwd: process.cwd(),
    projectInstructions: options.projectInstructions,
    taskId: options.taskId,
    onSessionEnd: builtin.endSession,
    onToolCall: webhooks.toolCalled,
    log: files.log,
    redact: files.redact,
  });
  const pluginTurns = createPluginTurns({
    runner,
    sessions: sessions.store,
    surface: platformOf(surface),
    log: files.log,
  });
  return {
    plugins,
    python,
    pluginTurns,
    runner,
    tools: () => withChangingTools({ changingTools: mcp.tools }, fixed())(),
    startingServers: mcp.starting,
    setDeliver(send) {
      deliver = send;
    },
    async [Symbol.asyncDispose]() {
      await pluginTurns[Symbol.asyncDispose]();
      await plugins[Symbol.asyncDispose]();
      await python[Symbol.asyncDispose]();
    },
  };
}

/** Plugins hear the events of both, and emit into the first. */
function hearBoth(own: HookRegistry, forwarded: HookRegistry): Pick<HookRegistry, "register" | "emit"> {
  return {
    emit: (event, context) => own.emit(event, context),
    register(event, handler, options) {
      const undo = [own, forwarded].map((registry) => registry.register(event, handler, options));
      return () => undo.forEach((unregister) => unregister());
    },
  };
}
