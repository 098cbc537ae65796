import type { Drift } from "#allowlist/fingerprint";
import type { HookSource } from "#core/ports/hook";

/** One hook of one event, as `hermes hooks list --json` shows it (CONTRACT §5). */
export interface ListedHook {
  readonly event: string;
  readonly source: HookSource;
  readonly name: string;
  readonly command: string | null;
  readonly matcher: string | null;
  /** What a shell hook and hermes say to each other; null for the others. */
  readonly protocol: string | null;
  /** The event of that protocol, where the entry names one; absent elsewhere. */
  readonly protocol_event?: string;
  /** True for a shell hook whose process answers all events; absent for the others. */
  readonly coprocess?: true;
  /** Seconds. */
  readonly timeout: number;
  readonly fail_closed: boolean;
  readonly enabled: boolean;
  readonly allowed: boolean;
  readonly approved_at: string | null;
  /** What an existing approval does not cover: the shell, or variables of `env:`. Only of shell hooks. */
  readonly approved_without?: readonly string[];
  readonly drift: Drift;
  /** With `hooks_consent: pinned`: what of a shell hook's command is not pinned, as sentences, else null. */
  readonly unpinned?: string | null;
  /** Why a broken entry cannot run, else null. */
  readonly problem: string | null;
  /** Of a gateway hook. A skipped folder is one element, with an empty event. */
  readonly state?: "enabled" | "disabled" | "skipped";
  /** Of a gateway hook: true when the configuration holds it to the isolate and its grants. */
  readonly untrusted?: boolean;
  /** Why a folder is skipped; null for one that is not. */
  readonly reason?: string | null;
  /** How it ended when it last ran; null when the end of the log has no run of it, absent when there is no log. */
  readonly last_run?: LastRun | null;
}

export interface LastRun {
  /** ISO-8601, UTC. */
  readonly time: string;
  readonly outcome: string;
  readonly cause: string | null;
}

export interface Listing {
  readonly hooks: readonly ListedHook[];
  readonly warnings: readonly string[];
}
