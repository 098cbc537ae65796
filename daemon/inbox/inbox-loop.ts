/** Handles the messages of a session one after another: each is a turn, or enters the one that runs. */
import { setTimeout as pause } from "node:timers/promises";
import { yieldToEventLoop } from "#core/event-loop";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import type { Frame, FrameOf } from "#core/frames";
import type { Log } from "#core/home/log";
import type { AgentRunner, Session, Tool, TurnResult } from "#core/ports/agent";
import type { ClaimedMessage, Handled, InboxSource, InboxStore } from "#core/ports/inbox";
import { createRareLog } from "#core/rare-log";
import type { ProcessIdentity } from "#core/ports/tasks";

export interface InboxLoopOptions {
  /** The name of the session. */
  readonly name: string;
  readonly store: InboxStore;
  readonly holder: ProcessIdentity;
  /** The conversation of now: one that was deleted meanwhile is replaced. */
  readonly session: () => Session;
  readonly platform: string;
  readonly runner: Pick<AgentRunner, "turn" | "inject">;
  readonly order: () => "priority" | "fifo";
  readonly onFrame: (frame: Frame) => void;
  /** Called before each turn. Must not reject. */
  readonly beforeTurn: () => Promise<void>;
  /** The tools that the agent has in this session only. Asked once a turn. */
  readonly tools: () => readonly Tool[];
  readonly log: Log;
}

/** What may enter a running turn (CONTRACT §13): it belongs to what the model is doing. */
const ENTERING: readonly InboxSource[] = ["background", "skill"];
const AGAIN = "[delivered again after a crash]";
/** How long to wait when the database cannot be used. */
const RETRY_MS = 1000;

interface RunningTurn {
  readonly session: Session;
  /** Messages that end with this turn. */
  readonly ids: string[];
  readonly abort: AbortController;
}

export class InboxLoop {
  readonly #options: InboxLoopOptions;
  readonly #rare: (sentence: string) => void;
  readonly #waiters = new Map<string, ((handled: Handled) => void)[]>();
  #turn: RunningTurn | undefined;
  #isStopping = false;
  #isWoken = false;
  #resume: (() => void) | undefined;
  #done: Promise<void> = Promise.resolve();
  #entering: Promise<void> = Promise.resolve();

  constructor(options: InboxLoopOptions) {
    this.#options = options;
    this.#rare = createRareLog({ write: (sentence) => options.log.error(sentence) });
  }

  get isRunning(): boolean {
    return this.#turn !== undefined;
  }

  start(): void {
    this.#done = this.#run();
  }

  /** A message may have come, of this source if it is known. */
  wake(source?: InboxSource): void {
    this.#isWoken = true;
    this.#resume?.();
    if (this.#turn === undefined) return;
    if (source === undefined || ENTERING.includes(source))
      this.#entering = this.#entering.then(() => this.#enterTurn());
  }

  /** Resolves when the turn of a message has ended. Ask before the loop can have taken it. */
  whenHandled(id: string): Promise<Handled> {
    return new Promise((resolve) => this.#waiters.set(id, [...(this.#waiters.get(id) ?? []), resolve]));
  }

  /** Takes no more messages. Resolves when the running turn has ended; it is interrupted after this time. */
  async drain(ms: number): Promise<void> {
    this.#isStopping = true;
    this.#resume?.();
    const timer = setTimeout(() => this.#turn?.abort.abort(), ms);
    await this.#done;
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      this.#isWoken = false;
      try {
        const message = await this.#claim();
        if (message === undefined) await this.#untilWoken();
        else await this.#handle(message);
        // A turn may have waited for nothing, and its clients must not wait for all that are queued.
        await yieldToEventLoop();
      } catch (error) {
        this.#rare(`the inbox cannot be used: ${problemOf(error)}`);
        await pause(RETRY_MS);
      }
    }
  }

  #claim(sources?: readonly InboxSource[]): Promise<ClaimedMessage | undefined> {
    const { store, name, holder, order } = this.#options;
    return store.claim({ session: name, holder, order: order(), sources });
  }

  async #untilWoken(): Promise<void> {
    if (this.#isWoken || this.#isStopping) return;
    await new Promise<void>((resolve) => (this.#resume = resolve));
    this.#resume = undefined;
  }

  async #handle(message: ClaimedMessage): Promise<void> {
    const { store, beforeTurn, session } = this.#options;
    let turn: RunningTurn;
    try {
      await beforeTurn();
      turn = { session: session(), ids: [message.id], abort: new AbortController() };
    } catch (error) {
      await this.#record(() => store.release([message.id]));
      throw error;
    }
    this.#turn = turn;
    // What came before this turn began, and may enter it, has had nobody to wake.
    if (this.#isWoken) this.wake();
    const handled = await this.#converse(message, turn);
    this.#turn = undefined;
    await this.#entering;
    await this.#record(() =>
      handled === "cut"
        ? store.cut(turn.ids)
        : store.end(turn.ids, handled.problem === null ? "done" : "failed", handled),
    );
    const shown = handled === "cut" ? { text: null, problem: "it was interrupted" } : handled;
    for (const id of turn.ids) this.#tell(id, shown);
  }

  /**
   * Stores what has become of messages, also if the database cannot be used for a while: one that stayed `running` would
   * be handled once more at the next start. Never rejects.
   */
  async #record(change: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await change();
        return;
      } catch (error) {
        this.#rare(`the inbox cannot be used: ${problemOf(error)}`);
        if (this.#isStopping) return;
        await pause(RETRY_MS);
      }
    }
  }

  /** Runs the turn of a message. Never rejects: a turn that cannot run is an `error` frame. */
  async #converse(message: ClaimedMessage, { session, abort }: RunningTurn): Promise<Handled | "cut"> {
    const { runner, platform, tools } = this.#options;
    let error: FrameOf<"error"> | undefined;
    const onFrame = (frame: Frame) => {
      if (frame.type === "error") error = frame;
      this.#options.onFrame(frame);
    };
    let result: TurnResult;
    try {
      const injected = { kind: message.source, label: message.label };
      const request = { session, platform, injected, message: textOf(message), tools: tools() };
      result = await runner.turn({ ...request, signal: abort.signal, onFrame });
    } catch (thrown) {
      return { text: null, problem: this.#showFailure(thrown, session, onFrame) };
    }
    if (result.interrupted && abort.signal.aborted) return "cut";
    if (result.exit_code === 0) return { text: result.text ?? "", problem: null };
    const problem = error?.message ?? "it ended without an answer";
    this.#options.log.error("a turn failed", { problem, message_id: message.id, session_id: session.id });
    return { text: null, problem };
  }

  #showFailure(thrown: unknown, session: Session, onFrame: (frame: Frame) => void): string {
    const { log } = this.#options;
    const error = isHermesError(thrown) ? thrown : new HermesError("HERMES_INTERNAL", { problem: problemOf(thrown) });
    const { message, code, exitCode: exit_code } = error;
    log.error("a turn could not run", { problem: message, code, session_id: session.id });
    onFrame({ type: "error", session_id: session.id, message, code });
    onFrame({
      type: "result",
      session_id: session.id,
      completed: false,
      interrupted: false,
      duration_ms: 0,
      exit_code,
    });
    return message;
  }

  /** Puts into the running turn what may enter it. */
  async #enterTurn(): Promise<void> {
    const { store, runner, log } = this.#options;
    try {
      while (this.#turn !== undefined && !this.#isStopping) {
        const message = await this.#claim(ENTERING);
        if (message === undefined) return;
        const turn = this.#turn;
        const { label, source } = message;
        if (turn !== undefined && runner.inject(turn.session.id, textOf(message), label, source)) {
          turn.ids.push(message.id);
          continue;
        }
        // The turn is ending: it gets one of its own.
        await this.#record(() => store.release([message.id]));
        this.#isWoken = true;
        return;
      }
    } catch (error) {
      log.error("a message could not enter the running turn", { problem: problemOf(error) });
    }
  }

  #tell(id: string, handled: Handled): void {
    for (const resolve of this.#waiters.get(id) ?? []) resolve(handled);
    this.#waiters.delete(id);
  }
}

function textOf({ content, cuts }: ClaimedMessage): string {
  return cuts > 0 ? `${AGAIN}\n\n${content}` : content;
}
