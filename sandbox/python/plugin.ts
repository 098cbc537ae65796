/** Python plugins: what `register(ctx)` registers in Python is registered here, and called there. */
import { basename } from "node:path";
import { declarationOf, isEventName } from "#core/events";
import { takeSources } from "#core/extensions/fingerprint";
import type { PluginCode, PluginRegistrar, RegisteredToolCall } from "#core/ports/plugin-code";
import type { PythonBridge } from "./bridge.ts";
import { PythonExtension } from "./extension.ts";
import { LiveObjects } from "./live-objects.ts";
import type { CallMessage, PluginLoaded, Registration } from "./wire.ts";

/** Loads the plugin in Python and registers what it registers. `bridge` is asked for when that happens. */
export function createPythonRegister(bridge: () => Promise<PythonBridge>, code: PluginCode) {
  return async (ctx: PluginRegistrar): Promise<void> => {
    const plugin = new PythonPlugin(await bridge(), code, ctx);
    ctx.on_unload(() => plugin.close());
    await plugin.register();
  };
}

class PythonPlugin {
  readonly #extension: PythonExtension;
  readonly #ctx: PluginRegistrar;
  readonly #live = new LiveObjects();
  readonly #code: PluginCode;

  constructor(bridge: PythonBridge, code: PluginCode, ctx: PluginRegistrar) {
    const { name, version = null, description = null, folder, entry, timeoutSeconds, onOutput, onStray } = code;
    const { home, settings } = ctx;
    this.#ctx = ctx;
    this.#code = code;
    this.#extension = new PythonExtension(bridge, {
      name,
      folder,
      entry: basename(entry),
      sources: takeSources(folder),
      plugin: { name, version, description, home, settings },
      timeoutSeconds,
      report: { onOutput, onStray },
      onRequest: (method, args) => this.#live.answer(method, args),
    });
  }

  async register(): Promise<void> {
    const { registrations, unsupported } = (await this.#extension.load()) as PluginLoaded;
    for (const registration of registrations) this.#add(registration);
    for (const method of unsupported) {
      this.#code.warn(`ctx.${method} of Hermes Agent is not supported, so what it registers is not there.`);
    }
  }

  close(): Promise<void> {
    return this.#extension.close();
  }

  #add(registration: Registration): void {
    const ctx = this.#ctx;
    const { function: number } = registration;
    switch (registration.kind) {
      case "hook":
        return void ctx.register_hook(registration.event, this.#hook(registration.event, number));
      case "tool": {
        const { name, description, parameters } = registration;
        const handler = (args: object, call: RegisteredToolCall) => this.#callTool(number, args, call);
        return void ctx.register_tool({ name, description, parameters, handler });
      }
      case "command": {
        const { name, description } = registration;
        return void ctx.register_command({ name, description, handler: (args) => this.#callCommand(number, args) });
      }
    }
  }

  /** A callback of an event: its payload is the keyword arguments. */
  #hook(event: string, number: number) {
    const { kind = "observe", live = [] } = isEventName(event) ? declarationOf(event) : {};
    const ignored = kind === "observe";
    return async (payload: object): Promise<unknown> => {
      const keywords = live.length === 0 ? payload : this.#live.take(payload, live);
      const platforms = live.length === 0 ? null : { platforms: this.#live.platforms };
      const message = { ...NO_ARGUMENTS, function: number, keywords, live: platforms, ignored };
      return (await this.#extension.call(message, this.#code.timeoutSeconds)) ?? undefined;
    };
  }

  /** A tool takes as long as it takes; it ends with the turn. */
  async #callTool(number: number, args: object, call: RegisteredToolCall): Promise<unknown> {
    const { tool_call_id, session_id, cwd, signal } = call;
    const keywords = { task_id: session_id, session_id, tool_call_id, cwd };
    const message = { ...NO_ARGUMENTS, function: number, args: [args], keywords, alone: true };
    return withoutJson(await this.#extension.call(message, null, signal));
  }

  async #callCommand(number: number, args: string): Promise<string | null> {
    const message = { ...NO_ARGUMENTS, function: number, args: [args], alone: true };
    const text = await this.#extension.call(message, null);
    return text === null ? null : typeof text === "string" ? text : JSON.stringify(text);
  }
}

const NO_ARGUMENTS = { args: [], keywords: {}, live: null, ignored: false, alone: false } as const satisfies Omit<
  CallMessage,
  "op" | "id" | "extension" | "function"
>;

/** Tools of Hermes Agent return JSON as text. */
function withoutJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    // It is a text.
    return value;
  }
}
