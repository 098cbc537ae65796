/** Runs what the user types in a conversation, one input after another. */
import { withDeadline } from "#core/deadline";
import { parseSlash } from "#core/command-events";
import { isHermesError, problemOf } from "#core/errors";
import { findSlashCommand } from "#core/slash-commands";
import type { CliContext } from "../context.ts";
import type { Host } from "../host/host.ts";
import type { InputLine } from "./input-line.ts";
import type { Renderer } from "./renderers.ts";
import type { ChatScreen } from "./screen/chat-screen.ts";
import type { SlashContext } from "./slash-commands.ts";

/** How long a running turn may take to stop when the program exits. */
const STOPPING_MS = 5000;

export type TurnControl = Pick<SlashContext, "signal" | "stopTurn">;

export interface TurnQueueOptions {
  readonly host: Host;
  readonly context: CliContext;
  readonly renderer: Renderer;
  readonly screen?: ChatScreen | undefined;
  readonly lines: InputLine;
  /** Runs one input: a message, a `!command` or a slash command. */
  readonly run: (text: string, control: TurnControl) => Promise<void>;
}

export class TurnQueue {
  readonly #options: TurnQueueOptions;
  readonly #waiting: string[] = [];
  #current: { readonly stopped: AbortController; readonly done: Promise<void> } | undefined;
  /** What the user is told when the turn that was interrupted has ended. */
  #interrupted: string | undefined;
  #closed = false;

  constructor(options: TurnQueueOptions) {
    this.#options = options;
  }

  /** Runs the input, after the turn that runs; `/stop` runs beside it, and commands that end it come next. */
  take(text: string): void {
    const name = parseSlash(text)?.name;
    const command = this.#current === undefined || name === undefined ? undefined : findSlashCommand("chat", name);
    if (command === "stop") {
      const { signal } = new AbortController();
      return void this.#perform(text, { signal, stopTurn: () => this.#stop() });
    }
    if (command !== "quit" && command !== "new") this.#waiting.push(text);
    else {
      this.#waiting.unshift(text);
      this.#stop();
    }
    if (this.#current === undefined) this.#next();
    else this.#options.lines.showQueued(this.#waiting);
  }

  /**
   * Stops the turn, says so, and gives what waits for it back to the user, who may not want it any more. False when no
   * turn runs.
   */
  interrupt(): boolean {
    if (this.#current === undefined) return false;
    const { lines, screen } = this.#options;
    const isBack = this.#waiting.length > 0 && lines.putBack(this.#waiting);
    if (isBack) this.#waiting.length = 0;
    this.#interrupted ??= isBack ? "Interrupted. Your queued messages are back on the line." : "Interrupted.";
    screen?.activity.begin("Stopping");
    return this.#stop();
  }

  /** Stops the running turn and waits a limited time for its end. */
  async end(): Promise<void> {
    this.#closed = true;
    this.#stop();
    await withDeadline(STOPPING_MS, () => this.#current?.done, { keepsAlive: false });
  }

  /** False when no turn runs. */
  #stop(): boolean {
    this.#current?.stopped.abort();
    return this.#current !== undefined;
  }

  #next(): void {
    const { screen, lines, context } = this.#options;
    const text = this.#waiting.shift();
    if (this.#interrupted !== undefined) context.note(this.#interrupted);
    this.#interrupted = undefined;
    if (this.#current !== undefined) screen?.endTurn();
    lines.showQueued(this.#waiting);
    if (text === undefined || this.#closed) {
      this.#current = undefined;
      if (!this.#closed) lines.prompt();
      return;
    }
    lines.begin(text);
    screen?.activity.begin("Working");
    const stopped = new AbortController();
    const done = this.#perform(text, { signal: stopped.signal, stopTurn: () => false }).then(() => this.#next());
    this.#current = { stopped, done };
  }

  async #perform(text: string, control: TurnControl): Promise<void> {
    const { run, context, host, renderer } = this.#options;
    try {
      await renderer.prepare?.();
      await run(text, control);
    } catch (error) {
      // The user stopped it, and is told so below.
      if (isHermesError(error) && error.code === "HERMES_INTERRUPTED" && control.signal.aborted) return;
      context.note(`hermes: ${isHermesError(error) ? error.message : problemOf(error)}`);
      host.log.error(problemOf(error));
    } finally {
      renderer.finish();
    }
  }
}
