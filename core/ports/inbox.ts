/**
 * The port of the messages that wait for a session that stays (CONTRACT §13). Every method is asynchronous, and each is
 * one transaction: what has resolved is stored.
 */
import type { ProcessIdentity } from "./tasks.ts";

/** Where messages come from, in the order in which they are handled. */
export const INBOX_SOURCES = ["schedule", "background", "skill", "inject", "webhook"] as const;
export type InboxSource = (typeof INBOX_SOURCES)[number];

export const INBOX_STATES = ["queued", "running", "done", "failed"] as const;
export type InboxState = (typeof INBOX_STATES)[number];

/** Messages that wait in one session; a further one is refused. */
export const MOST_QUEUED = 1000;
/** A message that has waited this long is handled before all that have not. */
export const AGED_MS = 60_000;
/** Turns of a message that may be cut; then it is `failed`. */
export const MOST_CUTS = 3;
/** How long an id of {@link DedupKey} is remembered. */
export const DEDUP_MS = 24 * 60 * 60 * 1000;

/** The id that a sender gave its request, and who the sender is: ids of different scopes never meet. */
export interface DedupKey {
  /** `inbound:NAME` for a webhook. */
  readonly scope: string;
  readonly id: string;
}

export interface NewInboxMessage {
  /** The name of the session that stays. */
  readonly session: string;
  readonly source: InboxSource;
  /** Which one of its source it is: a schedule's id, a skill's or a hook's name. */
  readonly label: string;
  readonly content: string;
  /**
   * Remembered together with the message. When all of them are remembered already, nothing is stored. Several are for
   * a message that several requests are joined in.
   */
  readonly dedup?: readonly DedupKey[] | undefined;
}

/** What became of a new message. */
export type AddedMessage =
  | { readonly kind: "stored"; readonly id: string }
  /** {@link MOST_QUEUED} are waiting. Nothing was stored, no id remembered. */
  | { readonly kind: "full" }
  | { readonly kind: "duplicate" };

/** A message as people see it; the time is ISO-8601, UTC. */
export interface InboxMessage {
  /** 16 lower-case letters and digits. */
  readonly id: string;
  readonly source: InboxSource;
  readonly label: string;
  readonly content: string;
  readonly state: InboxState;
  readonly created_at: string;
}

/** How the turn of a message ended. */
export interface Handled {
  /** The answer; null when the turn failed or gave none. */
  readonly text: string | null;
  /** Why the turn failed, else null. */
  readonly problem: string | null;
}

/** A message that a process got to handle. */
export interface ClaimedMessage extends Pick<InboxMessage, "id" | "source" | "label" | "content"> {
  /** How many of its turns were cut before. */
  readonly cuts: number;
}

export interface ClaimMessageOptions {
  readonly session: string;
  readonly holder: ProcessIdentity;
  /** `fifo` is first come first served among all sources. */
  readonly order: "priority" | "fifo";
  /** Nothing of other sources; all of them when absent. */
  readonly sources?: readonly InboxSource[] | undefined;
}

export interface InboxFilter {
  readonly state?: InboxState | undefined;
  /** The latest so many; all of them when absent. */
  readonly limit?: number | undefined;
}

/** The inboxes of a home. Every method rejects with what the engine throws. */
export interface InboxStore {
  add(message: NewInboxMessage): Promise<AddedMessage>;
  /** Remembers an id of a request that succeeded without a message. */
  remember(keys: readonly DedupKey[]): Promise<void>;
  /** True if this id was remembered in the last {@link DEDUP_MS}. */
  isRemembered(key: DedupKey): Promise<boolean>;
  /**
   * Hands out the next message: one that has waited for {@link AGED_MS}, else by the order of {@link INBOX_SOURCES};
   * within a source, and among those that waited long, the oldest.
   */
  claim(options: ClaimMessageOptions): Promise<ClaimedMessage | undefined>;
  /**
   * Ends messages that are running. Returns how many there were. An engine of several machines keeps how their turn
   * ended for those who wait elsewhere.
   */
  end(ids: readonly string[], state: "done" | "failed", handled?: Handled): Promise<number>;
  /** Gives back what was claimed, as if it had not been. */
  release(ids: readonly string[]): Promise<void>;
  /**
   * Gives back messages whose turn was cut, with one cut more; `failed` is for those that have {@link MOST_CUTS} then.
   * Returns the ids of these.
   */
  cut(ids: readonly string[]): Promise<readonly string[]>;
  /** Like {@link cut} for everything in a session that processes claimed that are no longer running. */
  cutAbandoned(session: string): Promise<readonly string[]>;
  get(id: string): Promise<InboxMessage | undefined>;
  /** Oldest first. */
  list(session: string, filter?: InboxFilter): Promise<readonly InboxMessage[]>;
  /** How many messages wait, by source, in one session or in all; every source is there. */
  queued(session?: string): Promise<ReadonlyMap<InboxSource, number>>;
  /** The sessions that have messages which are not handled yet, those that are running included, and how many. */
  waiting(): Promise<ReadonlyMap<string, number>>;
  /** The tasks whose reports a session wants, as they were submitted (`reportTo` of a new task), oldest first. */
  awaitedTasks(session: string): Promise<readonly string[]>;
  /** Stores the report of a task that is awaited, which it then no longer is; `duplicate` if it was not. */
  report(task: string, message: NewInboxMessage): Promise<AddedMessage>;
  /** Deletes messages that ended before a time, and ids that were remembered {@link DEDUP_MS} ago. */
  prune(endedBefore: Date): Promise<void>;
}

/** How many messages there are of all sources. */
export function totalOf(queued: ReadonlyMap<InboxSource, number>): number {
  return [...queued.values()].reduce((sum, count) => sum + count, 0);
}
