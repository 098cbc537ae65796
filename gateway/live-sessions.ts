/** The sessions of the running gateway: finds, starts and ends them, and writes to them outside of turns. */
import type { ChatMessage } from "#core/messages";
import type { ResetRequest, Session } from "#core/ports/agent";
import type { ClientHistories, ClientRequest } from "./client-histories.ts";
import type { GatewayDeps, Timings } from "./deps.ts";
import { withDeadline } from "#core/deadline";
import { chatKeys } from "./session-key.ts";

type LiveSessionsDeps = Pick<GatewayDeps, "sessions" | "runner"> & {
  readonly timings: Pick<Timings, "closing">;
  readonly histories: ClientHistories;
};

interface RunningTurn {
  /** Messages that wait to be added to the session. */
  readonly held: ChatMessage[];
  readonly ended: PromiseWithResolvers<void>;
}

const SOURCE = "gateway";
/** Sessions of clients with their own history that stay open; nobody says when such a conversation is over. */
const MOST_CLIENT_SESSIONS = 100;

export class LiveSessions {
  readonly #deps: LiveSessionsDeps;
  /** Sessions that had a turn in this run and have not ended. */
  readonly #active = new Map<string, Session>();
  readonly #turns = new Map<string, RunningTurn>();
  readonly #ofClients = new Map<string, Session>();

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

  /** A session by its id, if it is one of a user on this platform. Throws HERMES_STATE_UNAVAILABLE. */
  byId(id: string, platform: string): Session | undefined {
    const session = this.#deps.sessions.get(id);
    return session?.platform === platform && session.parent === null ? session : undefined;
  }

  /**
   * The session of a request that has its own history: an idle one that has had exactly these messages, else a new one
   * with them. A last turn that the request repeats is removed, and so is one without an answer.
   */
  openForClient(request: ClientRequest, platform: string): Session {
    const { sessions, histories } = this.#deps;
    let session = this.#findForClient(request);
    if (session === undefined) {
      session = this.#create(request.key, platform);
      for (const message of request.history) sessions.append(session.id, message);
    }
    histories.put(session.id, request);
    return session;
  }

  /** True while a turn of the session runs. */
  isBusy({ id }: Session): boolean {
    return this.#turns.has(id);
  }

  /** Resolves when no turn of the session runs. */
  async whenIdle({ id }: Session): Promise<void> {
    for (let turn = this.#turns.get(id); turn !== undefined; turn = this.#turns.get(id)) await turn.ended.promise;
  }

  /** A chat has another id now: its conversations continue there. Throws HERMES_STATE_UNAVAILABLE. */
  move(platform: string, from: string, to: string): void {
    const keys = chatKeys(platform, to);
    for (const [index, key] of chatKeys(platform, from).entries()) this.#deps.sessions.moveKeys(key, keys[index]!);
  }

  /** A turn starts. */
  begin(session: Session): void {
    this.#active.set(session.id, session);
    this.#turns.set(session.id, { held: [], ended: Promise.withResolvers() });
  }

  /** The turn has ended: adds messages that arrived for the session meanwhile. */
  end({ id }: Session): void {
    const turn = this.#turns.get(id);
    this.#turns.delete(id);
    turn?.ended.resolve();
    for (const message of turn?.held ?? []) this.#deps.sessions.append(id, message);
  }

  /** Keeps a client's session open, and finalizes the one that was used least recently when there are too many. */
  async keepForClient(session: Session, signal: AbortSignal): Promise<void> {
    this.#ofClients.delete(session.id);
    this.#ofClients.set(session.id, session);
    if (this.#ofClients.size <= MOST_CLIENT_SESSIONS) return;
    const oldest = [...this.#ofClients.values()].find((one) => !this.isBusy(one));
    if (oldest === undefined) return;
    this.#ofClients.delete(oldest.id);
    this.#active.delete(oldest.id);
    await this.#deps.runner.close({ session: oldest, platform: oldest.platform, signal, goesOn: true });
  }

  /** Adds a message without a turn, after a running turn has ended. Throws for an invalid message or session. */
  append(id: string, message: ChatMessage): void {
    if (this.#deps.sessions.get(id) === undefined) throw new Error(`there is no session "${id}"`);
    const turn = this.#turns.get(id);
    if (turn === undefined) this.#deps.sessions.append(id, message);
    else turn.held.push(message);
  }

  /** Starts a new session for the conversation. Only rejects with HERMES_STATE_UNAVAILABLE. */
  async reset(key: string, request: Omit<ResetRequest, "session" | "next">): Promise<Session> {
    const session = this.find(key);
    if (session !== undefined) this.#active.delete(session.id);
    return this.#deps.runner.reset({ ...request, session, next: { source: SOURCE, key } });
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

  #findForClient(request: ClientRequest): Session | undefined {
    for (const { session_id, how } of this.#deps.histories.find(request)) {
      const session = this.#deps.sessions.get(session_id);
      if (session === undefined || this.isBusy(session)) continue;
      if (how === "replaces" && this.#hasAnswer(session_id)) continue;
      if (how !== "continues") this.#deps.sessions.undo(session_id);
      return session;
    }
    return undefined;
  }

  #hasAnswer(id: string): boolean {
    const last = this.#deps.sessions.history(id).at(-1);
    return last?.role === "assistant" && Boolean(last.content);
  }

  #create(key: string | null, platform: string): Session {
    return this.#deps.sessions.create({ platform, source: SOURCE, key });
  }
}
