/** Signs users in: exchanges a one-time code for a session, which the browser keeps in a cookie. */
import { digestOf, newSecret } from "#core/bearer";
import { BoundedMap } from "#core/bounded-map";
import type { SessionStore } from "./session-store.ts";

const CODE_MS = 10 * 60_000;
const MOST_CODES = 16;
/** A session ends when it was not used for this long. */
export const SESSION_SECONDS = 7 * 24 * 3600;
const SESSION_MS = SESSION_SECONDS * 1000;
const MOST_SESSIONS = 64;
/** A use is stored when the stored one is older than this, so that reading the page does not write all the time. */
const STORE_USE_MS = 3_600_000;

/** Secrets are stored as hashes. Looking one up does not reveal how much of a guess was right. */
type Key = string;

const keyOf = (secret: string): Key => digestOf(secret).toString("base64");

export interface SignInOptions {
  /** Called for each session that ends, with the key that `find` returned. */
  readonly onEnd: (session: string) => void;
  /** Called with each code that was exchanged for a session. */
  readonly onExchanged?: (code: string) => void;
  /** Where sessions outlive the process; without one they end with it. */
  readonly store?: SessionStore | undefined;
}

interface Session {
  usedAt: number;
  /** The last use that is stored. */
  storedAt: number;
}

export class SignIn {
  /** When each code expires. */
  readonly #codes = new BoundedMap<Key, number>(MOST_CODES);
  /** Those that were used since the start. */
  readonly #sessions = new BoundedMap<Key, Session>(MOST_SESSIONS, (session) => this.#options.onEnd(session));
  /** The time of day, which goes on while no dashboard runs. */
  readonly #now: () => number;
  readonly #options: SignInOptions;

  constructor(options: SignInOptions, now: () => number = Date.now) {
    this.#options = options;
    this.#now = now;
  }

  /** A new one-time code, valid for ten minutes. */
  newCode(): string {
    const code = newSecret();
    this.#codes.set(keyOf(code), this.#now() + CODE_MS);
    return code;
  }

  /** Exchanges a code for a session's secret; undefined for a code that is wrong, used or expired. */
  exchange(code: string): string | undefined {
    const key = keyOf(code);
    const ends = this.#codes.get(key);
    this.#codes.delete(key);
    if (ends === undefined || ends < this.#now()) return undefined;
    this.#options.onExchanged?.(code);
    const secret = newSecret();
    this.#use(keyOf(secret), { usedAt: this.#now(), storedAt: Number.NEGATIVE_INFINITY });
    return secret;
  }

  /** The session of the secret, whose use is recorded; undefined when there is none. */
  find(secret: string): string | undefined {
    const key = keyOf(secret);
    const session = this.#sessions.get(key) ?? this.#stored(key);
    if (session === undefined) return undefined;
    if (this.#now() - session.usedAt > SESSION_MS) {
      this.end(key);
      return undefined;
    }
    this.#use(key, session);
    return key;
  }

  end(session: string): void {
    this.#options.store?.delete(session);
    if (this.#sessions.delete(session)) this.#options.onEnd(session);
  }

  /** One that an earlier dashboard stored. */
  #stored(key: Key): Session | undefined {
    const usedAt = this.#options.store?.usedAt(key);
    return usedAt === undefined ? undefined : { usedAt, storedAt: usedAt };
  }

  #use(key: Key, session: Session): void {
    session.usedAt = this.#now();
    this.#sessions.set(key, session);
    if (session.usedAt - session.storedAt < STORE_USE_MS) return;
    session.storedAt = session.usedAt;
    this.#options.store?.put(key, session.usedAt, { oldest: session.usedAt - SESSION_MS, most: MOST_SESSIONS });
  }
}
