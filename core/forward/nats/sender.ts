/**
 * Sends events to a JetStream stream in the background: many at a time, each until the server has confirmed that it is
 * stored. Whatever fails is sent again with the same message ID, so that the stream has it once. A connection is made
 * with the first event, and again for as long as there are events.
 */
import type { NatsConnection } from "@nats-io/transport-node";
import { growingPause } from "#core/backoff";
import { memoize } from "#core/bounded-map";
import { withDeadline } from "#core/deadline";
import { problemOf } from "#core/errors";
import type { StreamParts, StreamSender } from "#core/forwarder";
import { connectNats, natsProblem, streamOf, type NatsOptions } from "./connect.ts";
import { Publisher, type PublishResult } from "./publisher.ts";
import { ensureStream } from "./stream.ts";
import { subjectOf } from "./subjects.ts";
import { WakeablePause } from "#core/wakeable-pause";

export interface NatsSenderOptions extends Omit<NatsOptions, "name"> {
  readonly redact: (text: string) => string;
}

/** How long the end waits: for a server that answers, or has not been asked yet, and for one that does not. */
const ALIVE_FLUSH_MS = 1900;
const FLUSH_MS = 500;
const BACKOFF = { firstPause: 500, longestPause: 30_000 };
/** There are few types of events. */
const MOST_SUBJECTS = 1024;

export class NatsSender implements StreamSender {
  readonly #options: NatsSenderOptions;
  readonly #parts: StreamParts;
  readonly #where: ReturnType<typeof streamOf>;
  readonly #subject: (event_type: string) => string;
  #connection: NatsConnection | null = null;
  #publisher: Publisher | null = null;
  #running: Promise<void> | null = null;
  #failures = 0;
  #isClosing = false;
  #isClosed = false;
  /** Between attempts. */
  readonly #pause = new WakeablePause();

  constructor(options: NatsSenderOptions, parts: StreamParts) {
    this.#options = options;
    this.#parts = parts;
    this.#where = streamOf(options.settings);
    const { prefix } = this.#where;
    const subject = (event_type: string) => subjectOf(prefix, parts.src, options.redact(event_type));
    this.#subject = memoize(subject, MOST_SUBJECTS);
  }

  wake(): void {
    if (this.#running === null) this.#running = this.#run();
    else this.#publisher?.wake();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#pause.wake();
    this.wake();
    this.#publisher?.end();
    const ms = this.#failures > 0 ? FLUSH_MS : ALIVE_FLUSH_MS;
    await withDeadline(ms, () => this.#running);
    this.#isClosed = true;
    const { held } = this.#parts.outlet;
    if (held > 0) this.#complain(`${held} of them had not arrived when it ended`);
    this.#publisher?.stop();
    await this.#connection?.close();
  }

  async #run(): Promise<void> {
    // Not synchronously, because the same turn of the event loop may add more events.
    await new Promise((resume) => setImmediate(resume));
    try {
      while (!this.#isClosed && (await this.#attempt()));
    } catch (error) {
      this.#parts.onError(`forwarding to NATS stopped short: ${problemOf(error)}`);
    }
    this.#running = null;
  }

  /** Sends until something fails or nothing follows; false when nothing more is to be done. */
  async #attempt(): Promise<boolean> {
    const { outlet, source } = this.#parts;
    if (this.#isClosing && !source.hasMore(outlet)) return false;
    const problem = await this.#publish().catch(natsProblem);
    if (this.#isClosed || problem === null) return false;
    // A connection that breaks while nothing is sent is made again without a word.
    if (this.#failures > 0 || outlet.held > 0) this.#complain(problem);
    return this.#putOff();
  }

  /** What failed; null at the end. */
  async #publish(): Promise<string | null> {
    const connection = await this.#connect();
    if (this.#isClosed) return null;
    const { jetstream, jetstreamManager } = await import("@nats-io/jetstream");
    await ensureStream(await jetstreamManager(connection, { checkAPI: false }), this.#where);
    const publisher = new Publisher({
      ...this.#parts,
      ...this.#where,
      connection,
      client: jetstream(connection),
      subject: this.#subject,
      onStored: () => {
        this.#failures = 0;
      },
    });
    this.#publisher = publisher;
    if (this.#isClosing) publisher.end();
    const result = await publisher.run();
    this.#publisher = null;
    return this.#judge(result, connection);
  }

  async #judge(result: PublishResult, connection: NatsConnection): Promise<string | null> {
    if (result.kind === "ended") return null;
    // The server may hang. What it has not confirmed is sent again over another connection.
    if (result.isConnectionLost) {
      await connection.close();
      this.#connection = null;
    }
    return natsProblem(result.error);
  }

  async #connect(): Promise<NatsConnection> {
    if (this.#connection?.isClosed() === false) return this.#connection;
    const connection = await connectNats({ ...this.#options, name: `hermes ${this.#parts.src}` });
    if (this.#isClosed) await connection.close();
    this.#connection = connection;
    return connection;
  }

  /** Waits before the next attempt, or gives up when this process exits. */
  async #putOff(): Promise<boolean> {
    const ms = growingPause(this.#failures++, BACKOFF);
    if (this.#isClosing) return false;
    await this.#pause.wait(ms);
    return true;
  }

  #complain(problem: string): void {
    const servers = this.#options.settings.servers.join(", ");
    const { dropped } = this.#parts.outlet;
    const so = dropped > 0 ? ` (${dropped} dropped so far)` : "";
    this.#parts.onError(`NATS at ${servers} does not get this process's events: ${problem}${so}`);
  }
}
