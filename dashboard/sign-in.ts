/** Signs users in: exchanges a one-time code for a session, which the browser keeps in a cookie. */
import { digestOf, newSecret } from "#core/bearer";
import { BoundedMap } from "#core/bounded-map";

const CODE_MS = 10 * 60_000;
const MOST_CODES = 16;
/** A session ends when it was not used for this long. */
export const SESSION_SECONDS = 12 * 3600;
const MOST_SESSIONS = 64;

/** Secrets are stored as hashes. Looking one up does not reveal how much of a guess was right. */
type Key = string;

const keyOf = (secret: string): Key => digestOf(secret).toString("base64");

export interface SignInListeners {
  /** Called for each session that ends, with the key that `find` returned. */
  readonly onEnd: (session: string) => void;
  /** Called with each code that was exchanged for a session. */
  readonly onExchanged?: (code: string) => void;
}

export class SignIn {
  /** When each code expires. */
  readonly #codes = new BoundedMap<Key, number>(MOST_CODES);
  /** When each session was last used. */
  readonly #sessions = new BoundedMap<Key, number>(MOST_SESSIONS, (session) => this.#listeners.onEnd(session));
  readonly #now: () => number;
  readonly #listeners: SignInListeners;

  constructor(listeners: SignInListeners, now: () => number = () => performance.now()) {
    this.#listeners = listeners;
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
    this.#listeners.onExchanged?.(code);
    const secret = newSecret();
    this.#sessions.set(keyOf(secret), this.#now());
    return secret;
  }

  /** The session of the secret, whose use is recorded; undefined when there is none. */
  find(secret: string): string | undefined {
    const key = keyOf(secret);
    const used = this.#sessions.get(key);
    if (used === undefined) return undefined;
    this.#sessions.set(key, this.#now());
    if (this.#now() - used <= SESSION_SECONDS * 1000) return key;
    this.#drop(key);
    return undefined;
  }

  end(session: string): void {
    this.#drop(session);
  }

  #drop(session: Key): void {
    if (this.#sessions.delete(session)) this.#listeners.onEnd(session);
  }
}
