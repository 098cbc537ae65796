/** One conversation: its messages are handled in order, and one turn runs at a time (CONTRACT §8, busy modes). */
import { HermesError } from "#core/errors";
import type { ChatImage } from "#core/messages";
import type { Recipient } from "./recipient.ts";

export type BusyMode = "interrupt" | "queue" | "steer";

/** A message that asks for a turn. */
export interface ChatTurnRequest {
  readonly text: string;
  readonly images?: readonly ChatImage[] | undefined;
  readonly recipient: Recipient;
  /** Earlier messages that got no turn because this message arrived. */
  readonly before: UserWords[];
}

/** What a user sent. */
export type UserWords = Pick<ChatTurnRequest, "text" | "images">;

/** Why a turn ends early: the user stopped it, or the gateway shuts down. */
export type StopReason = "stopped" | "draining";

export interface ChatSessionDeps<Request extends ChatTurnRequest> {
  /** Runs one complete turn and answers. Never rejects. */
  readonly run: (request: Request, signal: AbortSignal) => Promise<void>;
  /** Adds text to the running turn; false when it accepts no more. */
  readonly inject: (text: string) => boolean;
}

/** Maximum number of messages that wait in one conversation. */
const MOST_WAITING = 100;

interface Waiting<Request extends ChatTurnRequest> {
  readonly request: Request;
  readonly done: () => void;
}

export class ChatSession<Request extends ChatTurnRequest> {
  readonly #deps: ChatSessionDeps<Request>;
  readonly #waiting: Waiting<Request>[] = [];
  readonly #commands = new Set<AbortController>();
  #current: { readonly stop: AbortController; readonly since: number } | undefined;
  #working: Promise<void> | undefined;
  /** The last message that is looked at in its turn, and all that are. */
  #intake: Promise<unknown> = Promise.resolve();
  readonly #looking = new Set<Promise<unknown>>();

  constructor(deps: ChatSessionDeps<Request>) {
    this.#deps = deps;
  }

  /** True when nothing is arriving, running or waiting. */
  get isIdle(): boolean {
    return this.#looking.size === 0 && this.#working === undefined;
  }

  /** When the running turn started, in milliseconds since 1970, and how many messages are waiting. */
  get status(): { readonly runningSince: number | null; readonly waiting: number } {
    return { runningSince: this.#current?.since ?? null, waiting: this.#waiting.length };
  }

  /** Looks at a message: at once when `urgent`, else once those before it were looked at. Gives what `look` gives. */
  async admit<Value>(urgent: boolean, look: () => Promise<Value>): Promise<Value> {
    const looked = urgent ? look() : this.#intake.then(look);
    // The caller gets the failure; the next message is handled as usual.
    const settled = looked.catch(() => undefined);
    if (!urgent) this.#intake = settled;
    this.#looking.add(settled);
    try {
      return await looked;
    } finally {
      this.#looking.delete(settled);
    }
  }

  /** Handles a message according to the busy mode. Resolves when that is done; never rejects. */
  take(request: Request, mode: BusyMode): Promise<void> {
    if (this.#working !== undefined) {
      if (mode === "steer" && this.#steer(request)) return request.recipient.end();
      if (mode === "interrupt") this.#supersede(request);
      else if (this.#waiting.length >= MOST_WAITING) return refuse(request, this.#waiting.length);
    }
    return new Promise((done) => {
      this.#add({ request, done });
    });
  }

  /** Ends the running turn and drops waiting messages; returns what there was. */
  stop(reason: StopReason): { readonly running: boolean; readonly dropped: number } {
    const running = this.#current !== undefined && !this.#current.stop.signal.aborted;
    this.#current?.stop.abort(reason);
    for (const command of this.#commands) command.abort(reason);
    return { running: running || this.#commands.size > 0, dropped: this.dropWaiting(reason) };
  }

  /** Drops waiting messages and returns how many there were. */
  dropWaiting(reason: StopReason): number {
    const dropped = this.#waiting.splice(0);
    for (const { request, done } of dropped) {
      const problem =
        reason === "draining"
          ? new HermesError("HERMES_GATEWAY_STOPPING", {})
          : new HermesError("HERMES_INTERRUPTED", {});
      void request.recipient.fail(problem, reason === "draining" ? problem.message : null).then(done);
    }
    return dropped.length;
  }

  /** Resolves when the running turn and all waiting messages are done. */
  async idle(): Promise<void> {
    await this.#working;
  }

  /** Like `settled`, but also waits for messages that have not been looked at yet. */
  async settled(): Promise<void> {
    while (!this.isIdle) await Promise.all([...this.#looking, this.#working]);
  }

  /** Runs a command that `stop` can end. */
  async command<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const controller = new AbortController();
    this.#commands.add(controller);
    try {
      return await work(controller.signal);
    } finally {
      this.#commands.delete(controller);
    }
  }

  /** A turn that is being ended would accept the text but never answer it. A running turn takes no images. */
  #steer({ text, images }: ChatTurnRequest): boolean {
    return (
      images === undefined &&
      this.#current !== undefined &&
      !this.#current.stop.signal.aborted &&
      this.#deps.inject(text)
    );
  }

  /** The new message wins: the running turn ends, and waiting messages keep their text but get no turn. */
  #supersede({ before }: Request): void {
    for (const { request, done } of this.#waiting.splice(0)) {
      before.push(...request.before, { text: request.text, images: request.images });
      void request.recipient.fail(new HermesError("HERMES_INTERRUPTED", {}), null).then(done);
    }
    this.#current?.stop.abort("superseded");
  }

  #add(waiting: Waiting<Request>): void {
    this.#waiting.push(waiting);
    waiting.request.recipient.signal?.addEventListener("abort", () => this.#leave(waiting), { once: true });
    this.#working ??= this.#work();
  }

  /** Nobody is waiting for its answer any more. */
  #leave(waiting: Waiting<Request>): void {
    const place = this.#waiting.indexOf(waiting);
    if (place === -1) return;
    this.#waiting.splice(place, 1);
    void waiting.request.recipient.fail(new HermesError("HERMES_INTERRUPTED", {}), null).then(waiting.done);
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { request, done } = next;
      const { signal } = request.recipient;
      const stop = new AbortController();
      const leave = () => stop.abort("left");
      signal?.addEventListener("abort", leave, { once: true });
      if (signal?.aborted) leave();
      this.#current = { stop, since: Date.now() };
      await this.#deps.run(request, stop.signal);
      this.#current = undefined;
      signal?.removeEventListener("abort", leave);
      done();
    }
    this.#working = undefined;
  }
}

function refuse({ recipient }: ChatTurnRequest, waiting: number): Promise<void> {
  const problem = new HermesError("HERMES_GATEWAY_BUSY", { waiting });
  return recipient.fail(problem, problem.message);
}
