/** The session of a conversation: its turns and commands, and how it starts, changes and ends. */
import { announceCommand, type CommandDecision } from "#core/command-events";
import { untilAborted } from "#core/deadline";
import { HermesError } from "#core/errors";
import type { Frame } from "#core/frames";
import type { CompactionResult, Session, SessionRequest, TurnProgress, TurnResult } from "#core/ports/agent";
import type { AskUser } from "#core/ports/question";
import { LAST_WORDS_MS } from "#agent/session-life";
import type { StoredSession } from "#agent/sessions";
import type { Host } from "../host/host.ts";

const SOURCE = "chat";

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly onFrame: (frame: Frame) => void;
  /** Takes what a turn does at the moment. */
  readonly onProgress?: ((progress: TurnProgress) => void) | undefined;
  readonly maxIterations?: number | undefined;
}

export class ChatRepl {
  readonly #host: Host;
  readonly #ask: AskUser | undefined;
  #session: Session | undefined;

  /** `ask` asks the user about tool calls; undefined where nobody can be asked. */
  constructor(host: Host, ask?: AskUser) {
    this.#host = host;
    this.#ask = ask;
  }

  /** The session, or undefined before the first message. */
  get session(): Session | undefined {
    return this.#session;
  }

  /**
   * Resumes a session: an id, an unambiguous beginning of one, or `latest`. Throws HERMES_SESSION_UNKNOWN and
   * HERMES_ID_AMBIGUOUS.
   */
  resume(wanted: string): StoredSession {
    const found = this.#find(wanted);
    this.#session = found;
    return found;
  }

  /** Like {@link resume}, during a conversation: the current session is finalized first. */
  async switchTo(wanted: string, options: SendOptions): Promise<StoredSession> {
    const found = this.#find(wanted);
    if (this.#session !== undefined && found.id !== this.#session.id) {
      await this.#host.runner.close(this.#on(this.#session, options));
    }
    return this.resume(found.id);
  }

  #find(wanted: string): StoredSession {
    const { sessions, surface } = this.#host;
    if (wanted !== "latest") return sessions.named(wanted);
    const latest = sessions.latest(surface);
    if (latest === undefined) throw new HermesError("HERMES_SESSION_UNKNOWN", { session: wanted });
    return latest;
  }

  /** Runs one turn. */
  async send(message: string, options: SendOptions): Promise<TurnResult> {
    const { maxIterations } = options;
    return this.#host.runner.turn({ ...this.#begin(options), message, maxIterations });
  }

  /** `/compact`: null when there is nothing to summarize. Rejects like {@link AgentRunner.compact}. */
  async compact(focus: string, options: SendOptions): Promise<CompactionResult | null> {
    return this.#session === undefined ? null : this.#host.runner.compact({ ...this.#begin(options), focus });
  }

  /** Runs `!CMD`: the terminal tool with its hooks, without the model. Returns the tool's result. */
  async shell(command: string, options: SendOptions): Promise<string> {
    return this.#host.runner.callTool({ ...this.#begin(options), tool: "terminal", args: { command } });
  }

  /** Starts a session if there is none, and shows its frame, which comes before all others. */
  open(options: SendOptions): void {
    this.#host.runner.show(this.#begin(options));
  }

  /** Asks the handlers of `command:<name>`; the first decision wins. */
  async announce(name: string, args: string): Promise<CommandDecision> {
    const { registry, surface } = this.#host;
    return announceCommand(registry, { name, args }, { platform: surface, session_id: this.#session?.id ?? "" });
  }

  /** `/new`: ends the session; the next one starts with its first message. */
  async reset({ signal, onFrame }: SendOptions): Promise<void> {
    const { runner, surface: platform } = this.#host;
    this.#session = await runner.reset({
      session: this.#session,
      platform,
      next: { source: SOURCE, cwd: process.cwd() },
      signal,
      onFrame,
    });
  }

  /** Ends the conversation and runs its closing hooks until `signal` aborts. */
  async close(options: SendOptions): Promise<void> {
    if (this.#session === undefined) return;
    const { runner, dispatcher } = this.#host;
    const end = runner.close(this.#on(this.#session, options));
    // Background observers write lines, too, and the result must be the last one.
    await untilAborted(
      options.signal,
      LAST_WORDS_MS,
      end.then(() => dispatcher.drain()),
    );
    this.#session = undefined;
  }

  /** The session; starts one if there is none. Throws HERMES_MODEL_CONFIG before that. */
  #begin(options: SendOptions): SessionRequest {
    const { sessions, surface: platform, model } = this.#host;
    model.describe();
    this.#session ??= sessions.create({ platform, source: SOURCE, cwd: process.cwd() });
    return this.#on(this.#session, options);
  }

  #on(session: Session, { signal, onFrame, onProgress }: SendOptions): SessionRequest {
    return { session, platform: this.#host.surface, signal, onFrame, onProgress, ask: this.#ask };
  }
}
