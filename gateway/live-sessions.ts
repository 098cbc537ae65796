/** The sessions of the running gateway: found by key, begun, ended, and written to from outside a turn. */
import type { ChatMessage } from "#core/messages";
import type { ResetRequest, Session } from "#core/ports/agent";
import type { GatewayDeps, Timings } from "./deps.ts";
import { withDeadline } from "#core/deadline";

type LiveSessionsDeps = Pick<GatewayDeps, "sessions" | "runner"> & { readonly timings: Pick<Timings, "closing"> };

const SOURCE = "gateway";

export class LiveSessions {
  readonly #deps: LiveSessionsDeps;
  /** Sessions that had a turn in this run and were not ended since. */
  readonly #active = new Map<string, Session>();
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

  /** A turn begins. */
  begin(session: Session): void {
    this.#active.set(session.id, session);
    this.#held.set(session.id, []);
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

  /** Begins a new session for the conversation. Rejects only with HERMES_STATE_UNAVAILABLE. */
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

  /** Lets go of what had a turn in this run; together it takes no longer than the bound for closing hooks. */
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
