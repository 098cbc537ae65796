/**
 * The outbox of answers: each one is a row in `state.db` before it is sent, each chat gets its own in order, and if a
 * crash leaves it unclear whether one was sent, it is sent again with a note (CONTRACT §1, DESIGN decision 11).
 */
import type { DatabaseSync } from "node:sqlite";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { Adapter } from "#core/ports/platform";
import type { Timings } from "./deps.ts";
import { OutboxTable, type OutboundMessage } from "./outbox-table.ts";
import { growingPause } from "#core/backoff";
import { withDeadline } from "#core/deadline";

const SENT_AGAIN = "(sent again; you may have it already)\n";

/** How often a text is sent in total if it is unknown whether it arrived. */
const MOST_ATTEMPTS = 2;
/** Older unsent answers are dropped, and older sent ones are deleted. */
const KEPT_MS = 7 * 86_400_000;
const MOST_WAITING = 1000;
const PRUNE_EVERY = 500;
/** Long texts are sent in pieces, at the platform's rate. */
const EXTRA_MS_PER_CHARACTER = 5000 / 4096;

export interface OutboxDeps {
  readonly database: DatabaseSync;
  /** The running adapter of a platform. */
  readonly adapter: (platform: string) => Adapter | undefined;
  readonly log: Log;
  readonly timings: Pick<Timings, "send" | "firstPause" | "longestPause">;
}

interface Waiting extends OutboundMessage {
  /** Null for a text that could not be stored. */
  readonly id: number | null;
  readonly createdAt: number;
  attempts: number;
  /** True for a text left by an earlier run of the program. */
  readonly left: boolean;
  /** Another way to send it, tried once before the adapter's `send`. */
  first: (() => Promise<unknown>) | undefined;
  /** The sender need not wait any longer; a problem says that it was given up. */
  readonly release: (problem?: string) => void;
}

/** A stored text. Exactly one of its functions is called, once. */
export interface Written {
  readonly text: string;
  /**
   * Sends it, with `first` as the first way to try (for example a draft that becomes the answer). Resolves with null when
   * the platform accepted it or when it is queued, with the reason when it was given up. Never rejects.
   */
  send(first?: () => Promise<unknown>): Promise<string | null>;
  /** Cancels it. */
  withdraw(): void;
}

/** The texts of one chat, in order. */
interface ChatQueue {
  readonly platform: string;
  readonly waiting: Waiting[];
  working: Promise<void> | undefined;
  timer: NodeJS.Timeout | undefined;
  failures: number;
}

export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #table: OutboxTable;
  readonly #queues = new Map<string, ChatQueue>();
  #posted = 0;
  #closed = false;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
    this.#table = new OutboxTable(deps.database);
  }

  /** Queues texts left by an earlier run. They are sent as soon as their platform runs. */
  restore(): void {
    this.#prune();
    for (const row of this.#write("read", () => this.#table.unsent()) ?? []) {
      const createdAt = Date.parse(row.created_at);
      this.#enqueue({ ...row, createdAt, left: true, first: undefined, release: () => undefined });
    }
  }

  /** Stores a text, so that it survives the program, and sends it on request. Never throws. */
  write(message: OutboundMessage): Written {
    const createdAt = Date.now();
    if (++this.#posted % PRUNE_EVERY === 0) this.#prune();
    const id = this.#write("written", () => this.#table.add(message, new Date(createdAt).toISOString())) ?? null;
    return {
      text: message.text,
      send: (first) =>
        new Promise((resolve) => {
          const release = (problem?: string) => resolve(problem ?? null);
          this.#enqueue({ ...message, id, createdAt, attempts: 0, left: false, first, release });
        }),
      withdraw: () => {
        if (id !== null) this.#write("written", () => this.#table.remove(id));
      },
    };
  }

  /** A platform runs again: sends what is queued for it. */
  wake(platform: string): void {
    for (const queue of this.#queues.values()) {
      if (queue.platform !== platform) continue;
      queue.failures = 0;
      this.#start(queue);
    }
  }

  /** Tries all queued texts once more, for at most `ms`. */
  async flush(ms: number): Promise<void> {
    const queues = [...this.#queues.values()];
    for (const queue of queues) this.#start(queue);
    await withDeadline(ms, () => Promise.all(queues.map(async ({ working }) => working)));
  }

  /** Sends nothing more; queued texts are in `state.db`. */
  close(): void {
    this.#closed = true;
    for (const queue of this.#queues.values()) {
      clearTimeout(queue.timer);
      for (const { release } of queue.waiting) release();
    }
  }

  #enqueue(message: Waiting): void {
    const { platform, chat_id } = message;
    const key = JSON.stringify([platform, chat_id]);
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = { platform, waiting: [], working: undefined, timer: undefined, failures: 0 };
      this.#queues.set(key, queue);
    }
    queue.waiting.push(message);
    // The first one may be being sent right now.
    if (queue.waiting.length > MOST_WAITING) {
      for (const oldest of queue.waiting.splice(1, 1)) this.#giveUp(oldest, "too many texts are queued for its chat");
    }
    // Do not wait during a pause: the text is stored and will be sent in order.
    if (queue.timer === undefined && !this.#closed) this.#start(queue);
    else message.release();
  }

  #start(queue: ChatQueue): void {
    if (queue.working !== undefined || this.#closed) return;
    clearTimeout(queue.timer);
    queue.timer = undefined;
    queue.working = this.#work(queue).then(() => {
      queue.working = undefined;
      for (const { release } of queue.waiting) release();
      if (queue.waiting.length === 0) this.#forget(queue);
      // The platform may have come up meanwhile.
      else if (queue.timer === undefined && this.#deps.adapter(queue.platform) !== undefined) this.#start(queue);
    });
  }

  async #work(queue: ChatQueue): Promise<void> {
    for (;;) {
      const [message] = queue.waiting;
      const adapter = this.#deps.adapter(queue.platform);
      // Without an adapter, everything is queued until `wake`.
      if (message === undefined || adapter === undefined || this.#closed) return;
      const outcome = await this.#send(adapter, message);
      if (outcome === "again") continue;
      if (outcome === "kept") return this.#pause(queue);
      queue.failures = 0;
      queue.waiting.shift();
      message.release();
    }
  }

  #pause(queue: ChatQueue): void {
    if (this.#closed) return;
    queue.timer = setTimeout(
      () => {
        queue.timer = undefined;
        this.#start(queue);
      },
      growingPause(queue.failures++, this.#deps.timings),
    );
  }

  /** One attempt. `over`: sent, or given up; `kept`: it stays first in its chat; `again`: retry now in the other way. */
  async #send(adapter: Adapter, message: Waiting): Promise<"over" | "kept" | "again"> {
    const { id, attempts: before, first, chat_id, thread_id } = message;
    if (Date.now() - message.createdAt > KEPT_MS) return this.#giveUp(message, "it is more than a week old");
    if (before >= MOST_ATTEMPTS) return this.#giveUp(message, `it was sent ${before} times without a confirmation`);
    const text = message.left || before > 0 ? SENT_AGAIN + message.text : message.text;
    // Recorded before the attempt: if the program is killed during it, the next run knows about it.
    this.#count(message, before + 1);
    message.first = undefined;
    const bound = this.#deps.timings.send + text.length * EXTRA_MS_PER_CHARACTER;
    const sending = first ?? (() => adapter.send(chat_id, text, { thread_id }));
    const settled = await withDeadline<unknown>(bound, sending);
    if (settled.kind === "value") {
      if (id !== null) this.#write("written", () => this.#table.markSent(id, new Date().toISOString()));
      return "over";
    }
    if (settled.kind === "late") {
      this.#report(message, `the platform did not answer within ${Math.round(bound / 1000)} s`);
      return "kept";
    }
    // Refused, so it cannot arrive twice.
    this.#count(message, before);
    if (isPermanent(settled.error)) return this.#giveUp(message, problemOf(settled.error));
    this.#report(message, problemOf(settled.error));
    return first === undefined ? "kept" : "again";
  }

  #count(message: Waiting, attempts: number): void {
    message.attempts = attempts;
    const { id } = message;
    if (id !== null) this.#write("written", () => this.#table.setAttempts(id, attempts));
  }

  #giveUp(message: Waiting, problem: string): "over" {
    const { id, platform, chat_id, session_id } = message;
    this.#deps.log.error("a text was given up", { platform, chat_id, session_id, problem });
    if (id !== null) this.#write("written", () => this.#table.remove(id));
    message.release(problem);
    return "over";
  }

  #report({ platform, chat_id, session_id }: Waiting, problem: string): void {
    this.#deps.log.warn("a platform did not accept a text; it will be sent again later", {
      platform,
      chat_id,
      session_id,
      problem,
    });
  }

  #forget(queue: ChatQueue): void {
    for (const [key, other] of this.#queues) if (other === queue) this.#queues.delete(key);
  }

  #prune(): void {
    this.#write("written", () => this.#table.prune(new Date(Date.now() - KEPT_MS).toISOString()));
  }

  /** A database failure must not stop a text from being sent: it is in memory, too. */
  #write<Value>(what: "read" | "written", work: () => Value): Value | undefined {
    try {
      return work();
    } catch (error) {
      this.#deps.log.error(`the outbox in state.db cannot be ${what}`, { problem: problemOf(error) });
      return undefined;
    }
  }
}

function isPermanent(error: unknown): boolean {
  try {
    return (error as { permanent?: unknown } | null | undefined)?.permanent === true;
  } catch {
    // A getter of the adapter's error threw; assume nothing about the chat.
    return false;
  }
}
