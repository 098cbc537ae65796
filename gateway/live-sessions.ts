/** The sessions of the running gateway: found by key, begun, reset, finalized, and written to from outside a turn. */
import type { Frame } from "#core/frames";
import { hookFrame } from "#core/frames";
import type { ChatMessage } from "#core/messages";
import type { Session } from "#core/ports/agent";
import type { GatewayDeps, Timings } from "./deps.ts";
import { withDeadline } from "#core/deadline";

/** Where an event of a session happens. */
export interface SessionContext {
  readonly key: string;
  readonly platform: string;
  readonly user_id: string;
}

export type LiveSessionsDeps = Pick<GatewayDeps, "sessions" | "dispatcher" | "registry"> & {
  readonly timings: Pick<Timings, "event" | "closing">;
};

const SOURCE = "gateway";

export class LiveSessions {
  readonly #deps: LiveSessionsDeps;
  /** Sessions that were begun in this run and have had no turn yet. */
  readonly #fresh = new Set<string>();
  /** Sessions that had a turn in this run and were not finalized since, with their platform. */
  readonly #active = new Map<string, string>();
  /** What waits to be added to a session whose turn runs. */
  readonly #held = new Map<string, ChatMessage[]>();

  constructor(deps: LiveSessionsDeps) {
    this.#deps = deps;
  }

  /** The session of a conversation, or undefined before its first message. Throws HERMES_STATE_UNAVAILABLE. */
  find(key: string | null): Session | undefined {
    return key === null ? undefined : this.#deps.sessions.byKey(key);
  }

  /** The session of a conversation, which begins now if there is none. Throws HERMES_STATE_UNAVAILABLE. */
  open(key: string | null, platform: string): Session {
    return this.find(key) ?? this.#create(key, platform);
  }

  /** A session for one request, which brings its own history. */
  openWith(history: readonly ChatMessage[], platform: string): Session {
    const session = this.#create(null, platform);
    for (const message of history) this.#deps.sessions.append(session.id, message);
    return session;
  }

  /** A turn begins. True when the session had one before, in this run or an earlier one. */
  begin({ id, platform }: Session): boolean {
    this.#active.set(id, platform);
    this.#held.set(id, []);
    return !this.#fresh.delete(id);
  }

  /** The turn has ended: what came for the session meanwhile is added to it. */
  end({ id }: Session): void {
    const held = this.#held.get(id) ?? [];
    this.#held.delete(id);
    for (const message of held) this.#deps.sessions.append(id, message);
  }

  /** Adds a message without a turn; a turn that runs ends first. Throws for what is no message and for no session. */
  append(id: string, message: ChatMessage): void {
    if (this.#deps.sessions.get(id) === undefined) throw new Error(`there is no session "${id}"`);
    const held = this.#held.get(id);
    if (held === undefined) this.#deps.sessions.append(id, message);
    else held.push(message);
  }

  /**
   * Puts a fresh session in the place of the conversation's: `session:end`, `on_session_finalize` (old), swap,
   * `session:reset`, `on_session_reset` (new). Never rejects but with HERMES_STATE_UNAVAILABLE.
   */
  async reset(place: SessionContext, signal: AbortSignal, show: (frame: Frame) => void): Promise<Session> {
    const { key, platform } = place;
    const old = this.find(key);
    if (old !== undefined) await this.#emit("session:end", place, old.id);
    await this.#finalize(old?.id ?? null, platform, signal, show);
    const session = this.#create(key, platform);
    await this.#emit("session:reset", place, session.id);
    await this.#deps.dispatcher.invoke_hook(
      "on_session_reset",
      { session_id: session.id, platform },
      { signal, onRun: (run) => show(hookFrame(run, session.id)) },
    );
    return session;
  }

  /** A session that no further message can reach ends. */
  async close(session: Session, signal: AbortSignal, show: (frame: Frame) => void): Promise<void> {
    await this.#finalize(session.id, session.platform, signal, show);
  }

  /** Finalizes what had a turn in this run; together it takes no longer than the bound for closing hooks. */
  async closeAll(show: (frame: Frame) => void): Promise<void> {
    const { closing } = this.#deps.timings;
    const signal = AbortSignal.timeout(closing);
    await withDeadline(closing, () =>
      Promise.all([...this.#active].map(([id, platform]) => this.#finalize(id, platform, signal, show))),
    );
  }

  #create(key: string | null, platform: string): Session {
    const session = this.#deps.sessions.create({ platform, source: SOURCE, key });
    this.#fresh.add(session.id);
    return session;
  }

  async #finalize(
    session_id: string | null,
    platform: string,
    signal: AbortSignal,
    show: (frame: Frame) => void,
  ): Promise<void> {
    this.#active.delete(session_id ?? "");
    this.#fresh.delete(session_id ?? "");
    await this.#deps.dispatcher.invoke_hook(
      "on_session_finalize",
      { session_id, platform },
      { signal, onRun: (run) => show(hookFrame(run, session_id ?? "")) },
    );
  }

  /** A handler that takes long must not keep the conversation from going on. */
  async #emit(event: string, { key, platform, user_id }: SessionContext, session_id: string): Promise<void> {
    const context = { platform, user_id, session_id, session_key: key };
    await withDeadline(this.#deps.timings.event, () => this.#deps.registry.emit(event, context));
  }
}
