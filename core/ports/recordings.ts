/** The port of recorded firings: what hooks were fired with, and what came of it (CONTRACT §17). */
import type { FiringOrigin, HookOutcome, HookSource } from "./hook.ts";

/** A run of a recorded firing, in short. */
export interface RecordedRun {
  readonly source: HookSource;
  readonly name: string;
  readonly outcome: HookOutcome;
  /** The message of the block or failure, without secrets. */
  readonly detail: string | null;
  /** True for an observer that the firing did not wait for. */
  readonly background: boolean;
}

export interface NewRecording {
  /** When it was fired, in milliseconds since 1970. */
  readonly at: number;
  /** A hook event or a gateway event. */
  readonly event: string;
  readonly session_id: string;
  readonly tool_name: string | null;
  /** What the hooks decided together, or how one of them failed. */
  readonly outcome: HookOutcome;
  /** A fingerprint of the changed arguments or the text that they decided on; null where there is neither. */
  readonly answer: string | null;
  /** True when a secret was removed from the payload. */
  readonly redacted: boolean;
  /** True when the payload was too large and was shortened. */
  readonly truncated: boolean;
  readonly runs: readonly RecordedRun[];
  readonly origin: FiringOrigin | null;
  /** The kind of process that fired it, such as `gateway`; null when an older version recorded it. */
  readonly surface: string | null;
  /** JSON, without secrets. */
  readonly payload: string;
}

export interface Recording extends NewRecording {
  readonly number: number;
}

export interface RecordingFilter {
  readonly session?: string | undefined;
  /** In milliseconds since 1970. */
  readonly since?: number | undefined;
  /** An event, or `namespace:*`. */
  readonly event?: string | undefined;
}

export interface RecordedSession {
  readonly id: string;
  readonly firings: number;
}

export interface RecordedEvent {
  readonly event: string;
  readonly firings: number;
}

/** Every method rejects with what the engine throws. */
export interface RecordingStore {
  add(recordings: readonly NewRecording[]): Promise<void>;
  /** How many match. */
  count(filter: RecordingFilter): Promise<number>;
  /** Those that match, in the order of their times; read in pieces, so that few are in memory at a time. */
  read(filter: RecordingFilter): AsyncIterable<Recording>;
  /** The sessions that something was recorded of, last recorded first. */
  sessions(limit: number): Promise<readonly RecordedSession[]>;
  /** The events that were recorded, by name. */
  events(): Promise<readonly RecordedEvent[]>;
  /** The ids of some sessions that something was recorded of and that begin like this. */
  findSessions(beginning: string): Promise<readonly string[]>;
  /** Deletes what was fired before a time, and the oldest of what is more than `bytes` in all. */
  prune(limits: { readonly before: number; readonly bytes: number }): Promise<void>;
}
