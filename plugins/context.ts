/** The argument of `register` (CONTRACT §7). Everything that a plugin adds here is undone when it is unloaded. */
import { format } from "node:util";
import { isEventName, EVENT_NAMES, declarationOf } from "#core/events";
import { findNameProblem, findPatternProblem, isGatewayEventName } from "#core/gateway-event-names";
import { isSlashWord } from "#core/slash-commands";
import { didYouMean } from "#core/suggest";
import { isThenable } from "#core/thenable";
import type {
  CommandDefinition,
  PlatformAdapter,
  PluginContext,
  PluginLogger,
  ToolDefinition,
  Unregister,
} from "./api.ts";
import { asHost } from "./attribution.ts";
import { CallbackHook, type Callback } from "./callback-hook.ts";
import { rejectLate } from "#core/deadline";
import type { LoadedPlugin } from "./loaded-plugin.ts";
import { withoutVersions } from "./resolve.ts";
import { commandOf, platformOf, toolOf } from "./definitions.ts";

/** Creates the context of one plugin. */
export function createPluginContext(plugin: LoadedPlugin): PluginContext {
  const { deps, name } = plugin;
  const sentence = (text: string) => plugin.warn(`plugin "${name}": ${text}`);

  function register_hook(event: string, callback: unknown): Unregister {
    if (!isEventName(event)) {
      const hint = isGatewayEventName(event) ? " It is a gateway event: use ctx.on." : didYouMean(event, EVENT_NAMES);
      sentence(`there is no hook event "${event}"; nothing was registered.${hint}`);
      return nothing;
    }
    if (typeof callback !== "function") {
      throw new TypeError(
        `the callback for ${event} is ${callback === null ? "null" : typeof callback}, not a function`,
      );
    }
    if (!plugin.isAlive(`register_hook("${event}")`)) return nothing;
    const { kind, onFailure } = declarationOf(event);
    if (plugin.onFailure === "block" && kind === "gate" && onFailure === "skip") {
      sentence(`"on_error: block" has no effect at ${event}, which always fails open.`);
    }
    const hook = new CallbackHook({
      source: plugin.source,
      name,
      event,
      callback: callback as Callback,
      onFailure: plugin.onFailure,
      deadlineSeconds: plugin.timeoutSeconds,
      scope: plugin.scope,
      watch: deps.watch,
    });
    plugin.hooks.add(hook);
    const remove = plugin.add(() => deps.dispatcher.register(hook));
    return () => {
      plugin.hooks.delete(hook);
      remove();
    };
  }

  function register_tool(definition: ToolDefinition): Unregister {
    const tool = toolOf(definition, plugin);
    if (!plugin.isAlive(`register_tool("${tool.name}")`)) return nothing;
    if (deps.isBuiltinTool(tool.name))
      return refused(`the tool "${tool.name}" is built in, so the plugin's tool was not added.`);
    return (
      plugin.offer("tools", tool.name, tool) ??
      refused(`another plugin already has the tool "${tool.name}", so this one was not added.`)
    );
  }

  function register_command(definition: CommandDefinition): Unregister {
    const command = commandOf(definition, plugin);
    const { name: word } = command;
    if (!plugin.isAlive(`register_command("${word}")`)) return nothing;
    if (isSlashWord(word)) return refused(`the command /${word} is built in, so the plugin's command was not added.`);
    return (
      plugin.offer("commands", word, command) ??
      refused(`another plugin already has the command /${word}, so this one was not added.`)
    );
  }

  function register_platform(adapter: PlatformAdapter): Unregister {
    const platform = platformOf(adapter);
    if (!plugin.isAlive(`register_platform("${platform.name}")`)) return nothing;
    return (
      plugin.offer("platforms", platform.name, platform) ??
      refused(`another plugin already has the platform "${platform.name}", so this one was not added.`)
    );
  }

  function refused(clause: string): Unregister {
    sentence(clause);
    return nothing;
  }

  function on(event: string, handler: (event_type: string, context: Record<string, unknown>) => unknown): Unregister {
    if (typeof handler !== "function")
      throw new TypeError(`the handler for ${event} is ${typeof handler}, not a function`);
    const problem = findPatternProblem(event);
    if (problem !== null) {
      const hint = isEventName(event) ? ". It is a hook event: use ctx.register_hook." : `: ${problem}`;
      sentence(`there is no gateway event "${event}"; nothing was registered${hint}`);
      return nothing;
    }
    if (!plugin.isAlive(`on("${event}")`)) return nothing;
    const seconds = plugin.timeoutSeconds;
    const bounded = (event_type: string, context: Record<string, unknown>): unknown => {
      const answer: unknown = plugin.scope.runInAsyncScope(handler, undefined, event_type, context);
      if (!isThenable(answer)) return answer;
      return rejectLate(answer, { ms: seconds * 1000, sentence: `it did not finish within ${seconds} s` });
    };
    return plugin.add(() => deps.registry.register(event, bounded, { name, source: "plugin" }));
  }

  async function emit(event: string, context: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const problem = findNameProblem(event);
    if (problem === null) await asHost(() => deps.registry.emit(event, { ...context }));
    else sentence(`there is no gateway event "${event}"; nothing was emitted: ${problem}`);
  }

  return Object.freeze({
    name,
    directory: plugin.folder,
    home: deps.home,
    settings: plugin.settings,
    logger: createLogger(plugin),
    register_hook,
    registerHook: register_hook,
    register_tool,
    register_command,
    register_platform,
    on,
    emit,
    command_rules: deps.commandRules,
    run_turn: async ({ prompt }: { prompt: string }) => {
      const turn = await asHost(() => deps.run_turn({ prompt, plugin: name }));
      const { text, finish_reason, notice, completed, interrupted } = turn;
      return { text, finish_reason, notice, completed, interrupted };
    },
    deliver: (text: string) => asHost(() => deps.deliver({ text, plugin: name })),
    on_unload(callback: () => unknown) {
      if (typeof callback !== "function") throw new TypeError("on_unload expects a function");
      plugin.unloadCallbacks.push(callback);
    },
  });
}

function nothing(): void {
  // Nothing was added, so there is nothing to undo.
}

function createLogger({ log }: LoadedPlugin): PluginLogger {
  const text = (values: readonly unknown[]) => withoutVersions(format(...values));
  return Object.freeze({
    debug: (...values: readonly unknown[]) => log.debug(text(values)),
    info: (...values: readonly unknown[]) => log.info(text(values)),
    warn: (...values: readonly unknown[]) => log.warn(text(values)),
    error: (...values: readonly unknown[]) => log.error(text(values)),
  });
}
