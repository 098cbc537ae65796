/// <reference lib="esnext.disposable" preserve="true" />
/** What a test host takes and gives. */
import type { EventName } from "#core/events";
import type { EventPayloads } from "#core/event-payloads";
import type { Frame } from "#core/frames";
import type { CallQuestion } from "#core/ports/question";
import type { ScriptedAnswer, ScriptedCall } from "#agent/models/script";
import type { PluginDefinition } from "#plugins/api";

/** A plugin with the settings that it gets. */
export interface TestPlugin {
  /** The module's default export, or the path of the plugin's folder. */
  readonly plugin: PluginDefinition | string;
  /** `plugin-1`, … when absent. The name of a folder is that of its `plugin.yaml`. */
  readonly name?: string;
  /** `ctx.settings`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What its failure does at `pre_tool_call`; `skip` when absent. */
  readonly on_error?: "block" | "skip";
}

export interface TestHostOptions {
  /** What is tested: default exports of plugins' modules, or paths of their folders. */
  readonly plugins: readonly (PluginDefinition | string | TestPlugin)[];
  /** The model's answers, one for each request; `Done.` after the last one. */
  readonly model?: readonly ScriptedAnswer[];
  /** What tools return, by name: a value, or a function of the arguments. Every other tool returns `{"ok":true}`. */
  readonly tools?: Readonly<Record<string, unknown>>;
  /** Answers to questions of hooks (`ask`), one for each: `y`, `a`, `n` or a hook's own. Without, nobody can be asked. */
  readonly answers?: readonly string[];
  /** Environment variables that plugins ask for in `requires_env` and settings; none when absent. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a turn did. */
export interface TestTurn {
  /** The final answer; null when there was none. */
  readonly text: string | null;
  /** The frames of the turn, as `--output-format stream-json` prints them. */
  readonly frames: readonly Frame[];
}

export interface TestHost extends AsyncDisposable {
  /** The temporary home: `ctx.home`. */
  readonly home: string;
  /**
   * Fires a hook event with its sample payload and these keys instead. Resolves with what the hooks answered together,
   * as a plugin would write it: `{ action: "block", message }`, `{ context }`, `{ text }`, … or null.
   */
  fire<Name extends EventName>(event: Name, payload?: Partial<EventPayloads[Name]>): Promise<TestAnswer>;
  /** Emits a gateway event, for `ctx.on`. */
  emit(event: string, context?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Runs a turn: all its events fire. */
  turn(message: string): Promise<TestTurn>;
  /** Runs a slash command of a plugin. Resolves with what it prints. */
  command(name: string, args?: string): Promise<string | null>;
  /** All frames so far. */
  readonly frames: readonly Frame[];
  /** The calls that reached a tool, so far. */
  readonly calls: readonly ScriptedCall[];
  /** The questions that were asked. */
  readonly questions: readonly CallQuestion[];
  /** Lines of the log, as `level plugin: message`. */
  readonly log: readonly string[];
  /** Warnings, such as that a plugin could not be loaded. */
  readonly warnings: readonly string[];
  /** Texts that plugins sent to the home channel. */
  readonly delivered: readonly string[];
  /** Unloads the plugins and removes the home; `await using` does it, too. */
  close(): Promise<void>;
}

/** The answer of hooks to an event; null for none. */
export type TestAnswer = Readonly<Record<string, unknown>> | null;
