/**
 * The protocol of the bridge: one JSON object a line, in both directions over one descriptor. `hermes_bridge/` is the
 * other side. Every message names the extension (a loaded folder) by a number, every call one by an id.
 */
import type { OutputLevel } from "#core/ports/tier";

export const BRIDGE_DESCRIPTOR = 3;

/** Loads a folder. A load that has failed leaves nothing behind. */
export interface LoadMessage {
  readonly op: "load";
  readonly id: number;
  readonly extension: number;
  readonly name: string;
  readonly folder: string;
  /** The file in the folder to begin with. */
  readonly entry: string;
  /** The Python files by path below the folder, a character for each byte. */
  readonly sources: Readonly<Record<string, string>>;
  /** Null for the handler of a gateway hook. */
  readonly plugin: AboutPlugin | null;
}

export interface AboutPlugin {
  readonly name: string;
  readonly version: string | null;
  readonly description: string | null;
  readonly home: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What a plugin has registered: the value of its load. Functions have the numbers of their order. */
export interface PluginLoaded {
  readonly registrations: readonly Registration[];
  /** The names of methods of `ctx` that it called although they are not supported. */
  readonly unsupported: readonly string[];
}

export type Registration =
  | { readonly kind: "hook"; readonly function: number; readonly event: string }
  | {
      readonly kind: "tool";
      readonly function: number;
      readonly name: string;
      readonly description: string;
      readonly parameters: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: "command"; readonly function: number; readonly name: string; readonly description: string };

/** Calls a function of a plugin. */
export interface CallMessage {
  readonly op: "call";
  readonly id: number;
  readonly extension: number;
  readonly function: number;
  readonly args: readonly unknown[];
  /** A function gets those that it names. */
  readonly keywords: object;
  /** For the live objects of `pre_gateway_dispatch`. */
  readonly live: { readonly platforms: readonly string[] } | null;
  /** The value does not matter, so it need not be JSON. */
  readonly ignored: boolean;
  /** In a thread of its own, so that it may take long. */
  readonly alone: boolean;
}

/** Calls the handler; `context` is appended as the text that it is. */
export interface RunMessage {
  readonly op: "run";
  readonly id: number;
  readonly extension: number;
  readonly event: string;
}

export type ToPython =
  | LoadMessage
  /** Cancels a coroutine that waits; the call fails, or answers, as the coroutine decides. */
  | { readonly op: "cancel"; readonly id: number; readonly extension: number }
  /** Answers a request; the value is a sentence when it went wrong. */
  | {
      readonly op: "reply";
      readonly extension: number;
      readonly id: number;
      readonly ok: boolean;
      readonly value: unknown;
    }
  | { readonly op: "close"; readonly extension: number };

export type FromPython =
  /** The first message. */
  | { readonly type: "ready"; readonly version: string; readonly executable: string }
  /** The only message of a Python that is too old. */
  | { readonly type: "old"; readonly version: string }
  /** The code of the extension is about to run: its time starts. */
  | { readonly type: "begun"; readonly id: number }
  | { readonly type: "answer"; readonly id: number; readonly value: unknown }
  | { readonly type: "failed"; readonly id: number; readonly kind: FailureKind; readonly problem: string }
  | PythonRequest
  | PythonText;

/** Something that a plugin asks of the program. */
export interface PythonRequest {
  readonly type: "request";
  readonly id: number;
  readonly extension: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** A line of output, or an error outside of the calls; of an unknown extension where nobody can tell. */
export interface PythonText {
  readonly type: "output" | "stray";
  readonly extension: number | null;
  readonly level: OutputLevel;
  readonly text: string;
}

/** `unusable`: it cannot be loaded. `answer`: what it returned is not JSON, or too large. */
export type FailureKind = "raised" | "unusable" | "answer";
