/** The port of the last replay of recorded firings (CONTRACT §17). */
import type { HookOutcome } from "./hook.ts";

/** A firing that would end differently now, as `hermes hooks replay --json` prints it. */
export interface ChangedFiring {
  readonly time: string;
  readonly event: string;
  readonly session_id: string;
  readonly tool_name: string | null;
  readonly recorded: HookOutcome;
  readonly now: HookOutcome;
  /** The hook that makes the difference; null when nobody knows. */
  readonly hook: string | null;
  readonly message: string | null;
  /** Present where the hooks got another payload now than then. */
  readonly redacted?: true;
  readonly truncated?: true;
}

/** The names of hooks that ran only now, and of those that ran only then. */
export interface HookChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** A replay without the firings that changed. */
export interface ReplaySummary {
  /** When it ended: ISO-8601, UTC. */
  readonly ran_at: string;
  /** What it was limited to; null where it was not. `since` is ISO-8601, UTC. */
  readonly filters: {
    readonly session: string | null;
    readonly since: string | null;
    readonly event: string | null;
    readonly hook: string | null;
  };
  readonly hooks: HookChanges;
  readonly firings: number;
  readonly same: number;
  readonly changed: number;
}

export interface ChangedEvent {
  readonly event: string;
  readonly changed: number;
}

/** Keeps the last replay alone. Every method rejects with what the engine throws. */
export interface ReplayStore {
  /** Replaces the last one. Of very many changes, only the latest are kept. */
  save(replay: ReplaySummary, changed: readonly ChangedFiring[]): Promise<void>;
  last(): Promise<ReplaySummary | undefined>;
  /** What changed, latest first; only of this event if one is given. */
  changes(filter: { readonly event?: string | undefined; readonly limit: number }): Promise<readonly ChangedFiring[]>;
  /** The events of the changes that are kept, by name. */
  changedEvents(): Promise<readonly ChangedEvent[]>;
}
