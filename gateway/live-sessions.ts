/** The sessions of the running gateway: finds, starts and ends them, and writes to them outside of turns. */
import type { ChatMessage } from "#core/messages";
import type { ResetRequest, Session } from "#core/ports/agent";
import type { GatewayDeps, Timings } from "./deps.ts";
import { withDeadline } from "#core/deadline";

type LiveSessionsDeps = Pick<GatewayDeps, "sessions" | "runner"> & { readonly timings: Pick<Timings, "closing"> };

const SOURCE = "gateway";

export class LiveSessions {
  readonly #deps: LiveSessionsDeps;
  /** Sessions that had a turn in this run and have not ended. */
  readonly #active = new Map<string, Session>();
  /** Messages that wait to be added to a session after its running turn. */
  readonly #held = new Map<string, ChatMessage[]>();

  constructor(deps: LiveSessionsDeps) {
    this.#deps = deps;
  }

  /** The session of a conversation, or undefined before its first message. Throws HERMES_STATE_UNAVAILABLE. */
  find(key: string | null): Session | undefined {
    return key === null ? undefined : this.#deps.sessions.byKey(key);
  }

  /** The session of a conversation, created if there is none. Throws HERMES_STATE_UNAVAILABLE. */
  open(key: string | null, platform: string): Session {
    return this.find(key) ?? this.#create(key, platform);
  }

  /** A session for one request that has its own history. */
  openWith(history: readonly ChatMessage[], platform: string): Session {
    const session = this.#create(null, platform);
    for (const message of history) this.#deps.sessions.append(session.id, message);
    return session;
  }

  /** A turn starts. */
  begin(session: Session): void {
    this.#active.set(session.id, session);
    this.#held.set(session.id, []);
  }

  /** The turn has ended: adds messages that arrived for the session meanwhile. */
  end({ id }: Session): void {
    const held = this.#held.get(id) ?? [];
    this.#held.delete(id);
    for (const message of held) this.#deps.sessions.append(id, message);
  }

  /** Adds a message without a turn, after a running turn has ended. Throws for an invalid message or session. */
  append(id: string, message: ChatMessage): void {
    if (this.#deps.sessions.get(id) === undefined) throw new Error(`there is no session "${id}"`);
    const held = this.#held.get(id);
    if (held === undefined) this.#deps.sessions.append(id, message);
    else held.push(message);
  }

  /** Starts a new session for the conversation. Only rejects with HERMES_STATE_UNAVAILABLE. */
  async reset(key: string, request: Omit<ResetRequest, "session" | "next">): Promise<Session> {
    const session = this.find(key);
    if (session !== undefined) this.#active.delete(session.id);
    return this.#deps.runner.reset({ ...request, session, next: { source: SOURCE, key } });
  }

  /** Ends a session that no further message can reach. */
  async close(session: Session, user_id: string, signal: AbortSignal): Promise<void> {
    this.#active.delete(session.id);
    await this.#deps.runner.close({ session, platform: session.platform, user_id, signal });
  }

  /** Closes all sessions that had a turn in this run, within the time limit for closing hooks. */
  async closeAll(): Promise<void> {
    const { timings, runner } = this.#deps;
    const signal = AbortSignal.timeout(timings.closing);
    await withDeadline(timings.closing, () =>
      Promise.all(
        [...this.#active.values()].map((session) =>
          runner.close({ session, platform: session.platform, signal, goesOn: true }),
        ),
      ),
    );
  }

  #create(key: string | null, platform: string): Session {
    return this.#deps.sessions.create({ platform, source: SOURCE, key });
  }
}
