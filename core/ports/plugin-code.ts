/** The port of plugins in another language: their code runs elsewhere, and what they register is called from here. */

/** What such a plugin may do: the part of a plugin's `ctx` that its code reaches. */
export interface PluginRegistrar {
  readonly name: string;
  readonly home: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** `callback` gets the payload. An unknown event causes a warning. */
  readonly register_hook: (event: string, callback: (payload: object) => Promise<unknown>) => unknown;
  /** Throws a TypeError for an invalid definition. */
  readonly register_tool: (definition: RegisteredTool) => unknown;
  /** Throws a TypeError for an invalid definition. */
  readonly register_command: (definition: RegisteredCommand) => unknown;
  readonly on_unload: (callback: () => Promise<void>) => void;
}

export interface RegisteredTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly handler: (args: Readonly<Record<string, unknown>>, call: RegisteredToolCall) => Promise<unknown>;
}

export interface RegisteredToolCall {
  readonly tool_call_id: string;
  readonly session_id: string;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

export interface RegisteredCommand {
  readonly name: string;
  readonly description: string;
  readonly handler: (args: string) => Promise<string | null>;
}

/** One version of a plugin's folder. */
export interface PluginCode {
  readonly name: string;
  readonly version: string | undefined;
  readonly description: string | undefined;
  /** The real path of the folder. */
  readonly folder: string;
  /** The path of the file to begin with. */
  readonly entry: string;
  /** How long one callback may take. */
  readonly timeoutSeconds: number;
  /** A line of output. */
  readonly onOutput: (level: "debug" | "info" | "warn" | "error", text: string) => void;
  /** Something that the user should know, as a sentence. */
  readonly warn: (sentence: string) => void;
  /** A problem outside of the calls, as a clause whose subject is the plugin. */
  readonly onStray: (problem: string) => void;
}

/**
 * Gives the `register` of a plugin, which loads its code and registers what that registers. It rejects with what is
 * wrong with the code, as a clause with the place in it.
 */
export type PluginCodeLoader = (code: PluginCode) => (ctx: PluginRegistrar) => Promise<void>;
