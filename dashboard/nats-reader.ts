/**
 * Reads the events of all machines from the stream of `forward.nats` (CONTRACT §16): with a durable consumer, so that
 * nothing is missed while the dashboard or NATS is away. A message is acknowledged when it was shown.
 */
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { Consumer, JetStreamManager, JsMsg } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { growingPause } from "#core/backoff";
import { connectNats, isNamed, natsProblem, streamOf, type NatsOptions } from "#core/forward/nats/connect";
import { ensureStream } from "#core/forward/nats/stream";
import { withDeadline } from "#core/deadline";
import { createRareLog } from "#core/rare-log";
import { readFrames, type EventFrame } from "./frames.ts";
import { MOST_EVENTS } from "./history.ts";

export interface NatsReaderOptions extends Omit<NatsOptions, "name"> {
  /** The home that the dashboard belongs to. */
  readonly home: string;
  /** Shows events. */
  readonly take: (frames: readonly EventFrame[]) => void;
  /** Takes a message about a failure, at most one a minute. */
  readonly warn: (sentence: string) => void;
  /** Takes a message about a connection. */
  readonly info: (sentence: string) => void;
}

/** Messages that the server sends ahead. */
const MOST_AHEAD = 500;
/** The server deletes the consumer of a dashboard that did not run for so long. */
const MOST_ABSENT_NS = 7 * 24 * 60 * 60 * 1e9;
/** How long the end waits. */
const LAST_MS = 1000;
const BACKOFF = { firstPause: 500, longestPause: 30_000 };

/** The name of the durable consumer of a home on this machine. */
export function consumerName(home: string): string {
  const host = hostname().replaceAll(/[^\w-]/g, "-") || "host";
  return `hermes-dashboard-${host}-${createHash("sha256").update(home).digest("hex").slice(0, 8)}`;
}

export class NatsReader {
  readonly #options: NatsReaderOptions;
  readonly #where: ReturnType<typeof streamOf>;
  readonly #complain: (sentence: string) => void;
  #connection: NatsConnection | null = null;
  #waiting: JsMsg[] = [];
  #failures = 0;
  #isClosed = false;
  #resume: () => void = () => undefined;
  #running: Promise<void> | null = null;

  constructor(options: NatsReaderOptions) {
    this.#options = options;
    this.#where = streamOf(options.settings);
    this.#complain = createRareLog({ write: options.warn });
  }

  /** Starts to read, or to try to. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Shows and acknowledges what has arrived. Does not wait long for a server that hangs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#resume();
    this.#flush();
    const connection = this.#connection;
    await withDeadline(LAST_MS, () => connection?.flush());
    await connection?.close();
    await withDeadline(LAST_MS, () => this.#running);
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const problem = await this.#read().catch(natsProblem);
      if (this.#isClosed) break;
      const { servers } = this.#options.settings;
      this.#complain(`the dashboard gets no events from NATS at ${servers.join(", ")}: ${problem}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#resume = resolve;
      const timer = setTimeout(resolve, growingPause(this.#failures++, BACKOFF));
      await promise;
      clearTimeout(timer);
    }
  }

  /** Reads until something fails; gives what it is. */
  async #read(): Promise<string> {
    const connection = await connectNats({ ...this.#options, name: "hermes dashboard" });
    try {
      this.#connection = connection;
      if (this.#isClosed) return "";
      const { jetstreamManager } = await import("@nats-io/jetstream");
      const manager = await jetstreamManager(connection, { checkAPI: false });
      await ensureStream(manager, this.#where);
      const consumer = await this.#openConsumer(manager);
      // A stream or a consumer that was deleted is created again by the next attempt.
      const messages = await consumer.consume({ max_messages: MOST_AHEAD, abort_on_missing_resource: true });
      this.#failures = 0;
      this.#options.info(`events come from the stream ${this.#where.stream} at ${connection.getServer()}`);
      for await (const message of messages) this.#add(message);
      const error = await connection.closed();
      return natsProblem(error ?? undefined);
    } finally {
      await connection.close();
    }
  }

  async #openConsumer(manager: JetStreamManager): Promise<Consumer> {
    const { stream, prefix } = this.#where;
    const name = consumerName(this.#options.home);
    try {
      await manager.consumers.info(stream, name);
    } catch (error) {
      if (!isNamed(error, "ConsumerNotFoundError")) throw error;
      const { AckPolicy, DeliverPolicy } = await import("@nats-io/jetstream");
      const { state } = await manager.streams.info(stream);
      await manager.consumers.add(stream, {
        durable_name: name,
        description: "A dashboard of hermes",
        ack_policy: AckPolicy.Explicit,
        filter_subject: `${prefix}.>`,
        // As many events as the dashboard keeps.
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: Math.max(1, state.first_seq, state.last_seq - MOST_EVENTS + 1),
        max_ack_pending: 2 * MOST_AHEAD,
        inactive_threshold: MOST_ABSENT_NS,
      });
    }
    return manager.jetstream().consumers.get(stream, name);
  }

  /** Messages that arrive together are shown together. */
  #add(message: JsMsg): void {
    this.#waiting.push(message);
    if (this.#waiting.length === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const messages = this.#waiting;
    this.#waiting = [];
    const frames = messages.map(readMessage).filter((frame) => frame !== undefined);
    if (frames.length > 0) this.#options.take(frames);
    for (const message of messages) message.ack();
  }
}

/** The frame of a message, checked as one that was posted; undefined for anything else that was published there. */
function readMessage(message: JsMsg): EventFrame | undefined {
  const text = message.string();
  const read = readFrames(text, message.data.length);
  if ("problem" in read || read.batch) return undefined;
  const { timestampNanos, streamSequence, stream } = message.info;
  const id = message.headers?.get("Nats-Msg-Id") || `${stream}-${streamSequence}`;
  return { ...read.frames[0]!, id, at: new Date(timestampNanos / 1e6).toISOString() };
}
