/** The session that a person talks to: its turns, its commands, how it begins, changes and ends. */
import { setTimeout as delay } from "node:timers/promises";
import { announceCommand, type CommandDecision } from "#core/command-events";
import { EXIT, HermesError } from "#core/errors";
import { hookFrame, type Frame } from "#core/frames";
import type { TurnResult } from "#core/ports/agent";
import type { StoredSession } from "#agent/sessions";
import type { Host } from "../compose.ts";

/** What a closing hook still says once its time is up is waited for this long, in milliseconds. */
const LAST_WORDS_MS = 200;

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly onFrame: (frame: Frame) => void;
  readonly maxIterations?: number | undefined;
}

export class ChatRepl {
  readonly #host: Host;
  #session: StoredSession | undefined;
  #resumed = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /** The session, or undefined before the first message. */
  get session(): StoredSession | undefined {
    return this.#session;
  }

  /** Goes on with a session: an id, the beginning of one that only one has, or `latest`. Throws HERMES_SESSION_UNKNOWN. */
  resume(wanted: string): StoredSession {
    const found = this.#find(wanted);
    if (found === undefined) throw new HermesError("HERMES_SESSION_UNKNOWN", { session: wanted });
    this.#session = found;
    this.#resumed = true;
    return found;
  }

  /** Like {@link resume}, in a conversation: the session that it leaves is finalized first. */
  async switchTo(wanted: string, { signal, onFrame }: SendOptions): Promise<StoredSession> {
    const found = this.#find(wanted);
    if (found !== undefined && this.#session !== undefined && found.id !== this.#session.id) {
      await this.#finalize(signal, onFrame);
    }
    return this.resume(wanted);
  }

  #find(wanted: string): StoredSession | undefined {
    const { sessions, surface } = this.#host;
    if (wanted === "latest") return sessions.latest(surface);
    const exact = sessions.get(wanted);
    if (exact !== undefined) return exact;
    const near = wanted.length < 8 ? [] : sessions.list({}).filter(({ id }) => id.startsWith(wanted));
    return near.length === 1 ? near[0] : undefined;
  }

  /** Runs one turn: the `session` frame, then those of the agent. */
  async send(message: string, options: SendOptions): Promise<TurnResult> {
    const { signal, maxIterations } = options;
    const onFrame = this.#mirrored(options.onFrame);
    const session = this.#open(onFrame);
    const { runner, surface } = this.#host;
    return runner.turn({ session, message, platform: surface, signal, onFrame, maxIterations });
  }

  /** Runs `!CMD`: the terminal tool, hooks included, without the model. Gives the tool's result. */
  async shell(command: string, options: SendOptions): Promise<string> {
    const { signal } = options;
    const onFrame = this.#mirrored(options.onFrame);
    const session = this.#open(onFrame);
    return this.#host.runner.callTool({ session, tool: "terminal", args: { command }, signal, onFrame });
  }

  /** Shows the session, which begins now if there is none: its frame is the first one of whatever follows. */
  open(onFrame: (frame: Frame) => void): StoredSession {
    return this.#open(this.#mirrored(onFrame));
  }

  /** Whoever watches the program's events sees what the person sees. */
  #mirrored(onFrame: (frame: Frame) => void): (frame: Frame) => void {
    return (frame) => {
      this.#host.mirror(frame);
      onFrame(frame);
    };
  }

  #open(onFrame: (frame: Frame) => void): StoredSession {
    const { sessions, surface, model } = this.#host;
    const { id: modelId } = model.describe();
    this.#session ??= sessions.create({ platform: surface, source: "chat" });
    onFrame({
      type: "session",
      session_id: this.#session.id,
      model: modelId,
      platform: surface,
      resumed: this.#resumed,
    });
    return this.#session;
  }

  /** Asks the handlers of `command:<name>`; the first decision counts. */
  async announce(name: string, args: string): Promise<CommandDecision> {
    const { registry, surface } = this.#host;
    return announceCommand(registry, { name, args }, { platform: surface, session_id: this.#session?.id ?? "" });
  }

  /** `/new`: finalize(old), swap, reset(new); the new session starts with its first message. */
  async reset(signal: AbortSignal, onFrame: (frame: Frame) => void): Promise<void> {
    const { sessions, surface } = this.#host;
    await this.#finalize(signal, onFrame);
    this.#session = sessions.create({ platform: surface, source: "chat" });
    this.#resumed = false;
    this.open(onFrame);
    await this.#emit("session:reset");
    await this.#fire("on_session_reset", { session_id: this.#session.id, platform: surface }, signal, onFrame);
  }

  /** Ends the conversation: its closing hooks run, until `signal` says that nobody waits any more. */
  async close(signal: AbortSignal, onFrame: (frame: Frame) => void = () => undefined): Promise<void> {
    if (this.#session === undefined) return;
    const cut = aborted(signal).then(() => delay(LAST_WORDS_MS));
    await Promise.race([this.#end(signal, onFrame), cut]);
    this.#session = undefined;
  }

  async #end(signal: AbortSignal, onFrame: (frame: Frame) => void): Promise<void> {
    await this.#finalize(signal, onFrame);
    // Observers in the background have lines too, and the last line is the result.
    await this.#host.dispatcher.drain();
  }

  async #finalize(signal: AbortSignal, onFrame: (frame: Frame) => void): Promise<void> {
    const { surface } = this.#host;
    const session_id = this.#session?.id ?? null;
    // A handler that hangs must not keep the hooks from their last chance.
    if (session_id !== null) await Promise.race([this.#emit("session:end"), aborted(signal)]);
    await this.#fire("on_session_finalize", { session_id, platform: surface }, signal, onFrame);
  }

  async #emit(event: string): Promise<void> {
    const { registry, surface } = this.#host;
    const { id = "", key = null } = this.#session ?? {};
    await registry.emit(event, { platform: surface, user_id: "", session_id: id, session_key: key ?? id });
  }

  async #fire(
    event: "on_session_finalize" | "on_session_reset",
    payload: { session_id: string | null; platform: string },
    signal: AbortSignal,
    onFrame: (frame: Frame) => void,
  ): Promise<void> {
    const talking = this.#session?.id ?? "";
    const show = this.#mirrored(onFrame);
    await this.#host.dispatcher.invoke_hook(event, payload, {
      signal,
      onRun: (run) => show(hookFrame(run, talking)),
    });
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

/** The exit code of a one-shot run that a signal ended. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return signal === "SIGINT" ? EXIT.interrupted : EXIT.terminated;
}
