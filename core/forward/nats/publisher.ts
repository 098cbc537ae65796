/** Publishes frames over one connection: many at a time, until something fails. */
import type { JetStreamClient, PubAck } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { FrameSource } from "#core/forward/frame-source";
import { messageId } from "#core/forward/message-ids";
import type { MadeFrames, Outlet } from "#core/forward/outlet";
import { isNamed, NATS_ANSWER_MS } from "./connect.ts";
import { StreamProblem } from "./stream.ts";

export interface PublisherOptions {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly stream: string;
  /** The prefix of its subjects. */
  readonly prefix: string;
  readonly outlet: Outlet;
  readonly source: FrameSource;
  /** Identifies this process in the IDs of its messages. */
  readonly sender: string;
  readonly subject: (event_type: string) => string;
  /** Called when the server has stored an event. */
  readonly onStored: () => void;
  /** Takes a message about a frame that is dropped. */
  readonly onError: (sentence: string) => void;
}

export type PublishResult =
  | { readonly kind: "ended" }
  | { readonly kind: "failed"; readonly error: unknown; readonly isConnectionLost: boolean };

/** Maximum number of unconfirmed messages; half of what may wait, so that the rest can drop its oldest. */
const WINDOW = 512;
/** Fewer are not published while others are unconfirmed, because batches save time. */
const BATCH = 128;
/** What the headers may add to a message. */
const HEADER_BYTES = 1024;
/** The error of a message that is larger than the stream takes. */
const TOO_LARGE = 10_054;

export class Publisher {
  readonly #options: PublisherOptions;
  /** Unconfirmed frames, with their places in the order of all that were sent. */
  readonly #unconfirmed = new Map<MadeFrames, number>();
  readonly #refused = new Map<MadeFrames, number>();
  #sent = 0;
  #failure: { readonly error: unknown } | null = null;
  #isConnectionLost = false;
  #isEnding = false;
  #isStopped = false;
  #resume: () => void = () => undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Announces a waiting event. */
  wake(): void {
    this.#resume();
  }

  /** Ends when there are no more events. */
  end(): void {
    this.#isEnding = true;
    this.#resume();
  }

  /** Ends at once. */
  stop(): void {
    this.#isStopped = true;
    this.#resume();
  }

  /** Publishes until something fails. Frames that may not have been stored are put back in their order. */
  async run(): Promise<PublishResult> {
    const { connection } = this.#options;
    void connection.closed().then((error) => this.#fail(error ?? undefined, true));
    while (!this.#isDone()) {
      if (this.#mayPublish()) {
        this.#publishBatch();
        // Lets confirmations, and the rest of the program, have their turn.
        await new Promise((resume) => setImmediate(resume));
      } else await this.#changed();
    }
    // What was sent may still be confirmed, as long as the connection is there.
    while (this.#unconfirmed.size > 0 && !this.#isConnectionLost && !this.#isStopped) await this.#changed();
    this.#putBack();
    if (this.#failure === null) return { kind: "ended" };
    return { kind: "failed", error: this.#failure.error, isConnectionLost: this.#isConnectionLost };
  }

  #isDone(): boolean {
    if (this.#failure !== null || this.#isStopped) return true;
    const { source, outlet } = this.#options;
    return this.#isEnding && this.#unconfirmed.size === 0 && !source.hasMore(outlet);
  }

  #mayPublish(): boolean {
    const { source, outlet } = this.#options;
    return this.#unconfirmed.size <= WINDOW - BATCH && source.hasMore(outlet);
  }

  async #changed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resume = resolve;
    await promise;
  }

  #publishBatch(): void {
    const { source, outlet } = this.#options;
    for (const made of source.pull(outlet, BATCH)) this.#publish(made);
  }

  #publish(made: MadeFrames): void {
    const { client, connection, outlet, sender, subject, onError } = this.#options;
    const [{ event_type, number }] = made.events as [MadeFrames["events"][number]];
    const most = connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
    if (made.bytes + HEADER_BYTES > most) {
      outlet.release(1, 1);
      return onError(`NATS does not get an event of ${made.bytes} bytes: its messages may have ${most} at most`);
    }
    this.#unconfirmed.set(made, this.#sent++);
    client.publish(subject(event_type), made.text, { msgID: messageId(sender, number), timeout: NATS_ANSWER_MS }).then(
      (ack) => this.#confirm(made, ack),
      (error: unknown) => this.#refuse(made, error),
    );
  }

  #confirm(made: MadeFrames, ack: PubAck): void {
    if (!this.#unconfirmed.delete(made)) return;
    const { outlet, stream, onStored } = this.#options;
    outlet.release(1);
    if (ack.stream !== stream) this.#fail(new StreamProblem(`its stream ${ack.stream} takes them, not ${stream}`));
    else onStored();
    this.#resume();
  }

  #refuse(made: MadeFrames, error: unknown): void {
    const place = this.#unconfirmed.get(made);
    if (place === undefined) return;
    this.#unconfirmed.delete(made);
    const { outlet, onError } = this.#options;
    const { code } = error as { readonly code?: unknown };
    if (code === TOO_LARGE) {
      outlet.release(1, 1);
      onError(`NATS does not get an event of ${made.bytes} bytes: the stream refuses messages of that size`);
      return this.#resume();
    }
    this.#refused.set(made, place);
    // Nobody answers where there is no stream, as without JetStream.
    if (isNamed(error, "JetStreamNotEnabled")) this.#fail(new StreamProblem(this.#noStream()));
    else this.#fail(error, isNamed(error, "TimeoutError"));
  }

  #noStream(): string {
    const { stream, prefix } = this.#options;
    return `no stream takes ${prefix}.>; is there a stream ${stream}?`;
  }

  #fail(error: unknown, isConnectionLost = false): void {
    this.#failure ??= { error };
    this.#isConnectionLost ||= isConnectionLost;
    this.#resume();
  }

  /** Puts back what may not have been stored, the oldest first. */
  #putBack(): void {
    const frames = [...this.#refused, ...this.#unconfirmed];
    this.#refused.clear();
    this.#unconfirmed.clear();
    this.#options.outlet.putBack(frames.toSorted(([, left], [, right]) => left - right).map(([made]) => made));
  }
}
