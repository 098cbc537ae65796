/** Validates the definitions of plugins, and converts them into what the host calls. */
import { frozenCopy } from "#core/firing";
import type { Tool } from "#core/ports/agent";
import { isMapping } from "#core/mapping";
import type { CommandDefinition, PlatformAdapter, ToolDefinition } from "./api.ts";
import type { LoadedPlugin, PluginCommand } from "./loaded-plugin.ts";

const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;
const COMMAND_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The tool of a definition, with frozen arguments. Throws a TypeError that says what is wrong. */
export function toolOf(definition: ToolDefinition, { scope }: LoadedPlugin): Tool {
  const { name, description, parameters, handler } = objectOf(definition, "register_tool");
  if (typeof name !== "string" || !TOOL_NAME.test(name)) {
    throw new TypeError(`${shown(name)} is not a valid tool name; use letters, digits, "_" and "-", at most 64`);
  }
  if (typeof handler !== "function") throw new TypeError(`the tool "${name}" needs a function "handler"`);
  if (description !== undefined && typeof description !== "string") {
    throw new TypeError(`the tool "${name}": "description" must be a string`);
  }
  return {
    name,
    description: description ?? "",
    parameters: schemaOf(parameters, name),
    async execute(args, { tool_call_id, session_id, cwd, signal }) {
      const info = Object.freeze({ tool_call_id, session_id, cwd, signal });
      const value: unknown = await scope.runInAsyncScope(handler as Handler, undefined, frozenCopy(args), info);
      if (typeof value === "function") throw new TypeError("the tool returned a function, which JSON cannot represent");
      return value ?? null;
    },
  };
}

type Handler = (...input: readonly unknown[]) => unknown;

/** The command of a definition. Throws a TypeError that says what is wrong. */
export function commandOf(definition: CommandDefinition, plugin: LoadedPlugin): PluginCommand {
  const { name: given, description, handler } = objectOf(definition, "register_command");
  const name = typeof given === "string" ? given.replace(/^\//, "") : given;
  if (typeof name !== "string" || !COMMAND_NAME.test(name)) {
    throw new TypeError(`${shown(given)} is not a valid command name; use letters, digits, "_" and "-", at most 64`);
  }
  if (typeof handler !== "function") throw new TypeError(`the command /${name} needs a function "handler"`);
  return {
    name,
    description: typeof description === "string" ? description : "",
    plugin: plugin.name,
    async run(args) {
      const text: unknown = await plugin.scope.runInAsyncScope(handler as Handler, undefined, args);
      if (text === undefined || text === null) return null;
      return typeof text === "string" ? text : shown(text);
    },
  };
}

/** A platform. Throws a TypeError that says what is wrong. */
export function platformOf(adapter: PlatformAdapter): PlatformAdapter {
  const { name, start, stop, send } = objectOf(adapter, "register_platform");
  if (typeof name !== "string" || name === "") throw new TypeError('a platform needs a "name"');
  for (const [member, value] of Object.entries({ start, stop, send })) {
    if (typeof value !== "function") throw new TypeError(`the platform "${name}" needs a function "${member}"`);
  }
  return adapter;
}

/** A definition is untrusted: any of its keys may be anything. */
function objectOf<Definition extends object>(
  definition: Definition,
  call: string,
): { readonly [Key in keyof Definition]?: unknown } {
  if (typeof definition !== "object" || definition === null) throw new TypeError(`${call} expects an object`);
  return definition;
}

function schemaOf(parameters: unknown, tool: string): Readonly<Record<string, unknown>> {
  if (parameters === undefined) return { type: "object", properties: {} };
  if (!isMapping(parameters) || parameters["type"] !== "object") {
    throw new TypeError(`the tool "${tool}": "parameters" must be a JSON Schema with "type": "object"`);
  }
  // Converted to JSON and back, as it is sent to the model, to find problems now.
  return JSON.parse(JSON.stringify(parameters)) as Record<string, unknown>;
}

function shown(value: unknown): string {
  const text = typeof value === "function" ? undefined : (JSON.stringify(value) as string | undefined);
  return text ?? `a value of type ${typeof value}`;
}
