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
  /** The Python files by path below the folder, a character for each byte; null to read the disk. */
  readonly sources: Readonly<Record<string, string>> | null;
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
  | PythonText;

/** A line of output, or an error outside of the calls; of an unknown extension where nobody can tell. */
export interface PythonText {
  readonly type: "output" | "stray";
  readonly extension: number | null;
  readonly level: OutputLevel;
  readonly text: string;
}

/** `unusable`: it cannot be loaded. `answer`: what it returned is not JSON, or too large. */
export type FailureKind = "raised" | "unusable" | "answer";
