/**
 * The port of the runs of inbound webhooks that answer before their script runs (CONTRACT §13). Every method is
 * asynchronous, and each is one transaction.
 */

/** Where a daemon takes the requests of a hook. */
export interface HookAddress {
  readonly name: string;
  /** `http://HOST:PORT/PATH` */
  readonly url: string;
  /** How a request proves who sent it; `none` when it need not. */
  readonly verify: string;
}

export type InboundRunState = "queued" | "running" | "done" | "failed";

/** A run as its sender may see it; times are ISO-8601, UTC. */
export interface InboundRun {
  /** 16 lower-case letters and digits. */
  readonly run_id: string;
  readonly state: InboundRunState;
  /** The status that the sender would have got if it had waited; null until it ended. */
  readonly status: number | null;
  readonly exit_code: number | null;
  readonly started_at: string | null;
  readonly ended_at: string | null;
}

export interface NewInboundRun {
  /** The name of the session that stays. */
  readonly session: string;
  readonly hook: string;
  /** The script's `HOOK_` variables. */
  readonly variables: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** What a repeated request has again; null when nothing tells. */
  readonly dedupId: string | null;
  /** Joins its output with those of other runs with this key; null for a message of its own. */
  readonly coalesce: { readonly key: string; readonly windowMs: number } | null;
}

export type AddedRun =
  | { readonly kind: "stored"; readonly id: string }
  /** A run with this dedup id is queued or running. */
  | { readonly kind: "in_flight" }
  | { readonly kind: "full" };

/** A run to execute. */
export interface ClaimedRun extends Pick<NewInboundRun, "variables" | "body"> {
  readonly id: string;
}

/** Outputs that become one message: those of one window and key, or that of one run. */
export interface RunGroup {
  readonly hook: string;
  readonly runs: readonly { readonly id: string; readonly output: string; readonly dedupId: string | null }[];
}

export interface RunEnd {
  readonly state: "done" | "failed";
  readonly status: number;
}

/** The runs of a home. Every method rejects with what the engine throws. */
export interface InboundRunStore {
  /** Stores a run, unless `mostQueued` of its hook wait already. */
  add(run: NewInboundRun, mostQueued: number): Promise<AddedRun>;
  /** Hands out the oldest queued run of a hook. */
  claim(session: string, hook: string): Promise<ClaimedRun | undefined>;
  /** Gives a run back that was cut. */
  release(id: string): Promise<void>;
  /** Gives back the runs of a session that were cut by a crash. Only its one process may call this, when it starts. */
  releaseAll(session: string): Promise<void>;
  /** Keeps the output of a script that ended well until it is a message. */
  keepOutput(id: string, output: string, exitCode: number): Promise<void>;
  /** Ends runs. An exit code of undefined keeps the one that is known. */
  end(ids: readonly string[], end: RunEnd, exitCode?: number | null): Promise<void>;
  /** The groups of a session that are whole: their windows are over and none of their scripts still has to run. */
  wholeGroups(session: string): Promise<readonly RunGroup[]>;
  /** In how many milliseconds the next window of a session ends; undefined when none is open. */
  nextWindowEnd(session: string): Promise<number | undefined>;
  get(id: string): Promise<(InboundRun & { readonly hook: string; readonly session: string }) | undefined>;
  /** Deletes what ended before a time. */
  prune(endedBefore: Date): Promise<void>;
}
