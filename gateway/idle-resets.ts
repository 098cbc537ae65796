/** `gateway.idle_reset_minutes`: a conversation that was idle for so long continues in a new session. */
import { problemOf } from "#core/errors";
import type { Session } from "#core/ports/agent";
import type { MessageSource } from "#core/ports/platform";
import type { GatewayDeps } from "./deps.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { Outbox } from "./outbox.ts";

export interface IdleResetsDeps extends Pick<GatewayDeps, "settings" | "log"> {
  readonly live: LiveSessions;
  readonly outbox: Outbox;
  readonly closing: AbortSignal;
}

/** A conversation, and where it takes place. */
export interface IdlePlace {
  readonly key: string;
  readonly source: MessageSource;
  /** True when there is a chat to announce it in. */
  readonly isChat: boolean;
}

const MINUTE_MS = 60_000;
/** How often to look for idle sessions: a tenth of the time limit, within these bounds. */
const SHORTEST_SWEEP_MS = 50;
const LONGEST_SWEEP_MS = 30_000;

export class IdleResets {
  readonly #deps: IdleResetsDeps;
  /** The conversations of this run. */
  readonly #places = new Map<string, IdlePlace>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: IdleResetsDeps) {
    this.#deps = deps;
  }

  /** Looks for idle sessions from time to time. `alone` runs work of a conversation apart from its messages. */
  start(alone: (key: string, work: () => Promise<void>) => Promise<void>): void {
    const limit = this.#limitMs;
    const pause = limit === 0 ? LONGEST_SWEEP_MS : Math.min(Math.max(limit / 10, SHORTEST_SWEEP_MS), LONGEST_SWEEP_MS);
    this.#timer = setTimeout(() => {
      this.start(alone);
      for (const place of this.#places.values())
        if (this.#idleSession(place.key) !== undefined) void alone(place.key, () => this.resetIfIdle(place));
    }, pause).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** A conversation has been used. */
  note(place: IdlePlace): void {
    if (this.#limitMs > 0) this.#places.set(place.key, place);
  }

  /** Ends the session of an idle conversation and announces it. Never rejects. */
  async resetIfIdle({ key, source, isChat }: IdlePlace): Promise<void> {
    const session = this.#idleSession(key);
    if (session === undefined) return;
    const { live, outbox, log, closing } = this.#deps;
    const { platform, chat_id, thread_id, user_id } = source;
    this.#places.delete(key);
    try {
      const next = await live.reset(key, { platform, user_id, signal: closing });
      log.info("an idle conversation continues in a new session", { session_id: session.id, next: next.id });
      const text = `This conversation was idle for ${lengthOf(this.#limitMs)}, so a new session begins.`;
      if (isChat) void outbox.write({ platform, chat_id, thread_id, session_id: next.id, text }).send();
    } catch (error) {
      log.warn("an idle session could not be reset", { session_id: session.id, problem: problemOf(error) });
    }
  }

  get #limitMs(): number {
    return (this.#deps.settings().idle_reset_minutes ?? 0) * MINUTE_MS;
  }

  /** The session of a conversation that has been idle for too long. */
  #idleSession(key: string): Session | undefined {
    const { live, log } = this.#deps;
    const limit = this.#limitMs;
    if (limit === 0) return undefined;
    try {
      const session = live.find(key);
      if (session === undefined || session.started_at === null || live.isBusy(session)) return undefined;
      return Date.now() - Date.parse(session.updated_at) >= limit ? session : undefined;
    } catch (error) {
      log.warn("a conversation's session cannot be read", { problem: problemOf(error) });
      return undefined;
    }
  }
}

function lengthOf(ms: number): string {
  const minutes = ms / MINUTE_MS;
  if (minutes < 1) return "a while";
  return minutes === 1 ? "a minute" : `${Math.round(minutes)} minutes`;
}
