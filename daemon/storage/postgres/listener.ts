/** Hears what the processes of all machines store, over a connection of its own. */
import { Client } from "pg";
import { WAKE_KINDS, type WakeKind } from "#core/ports/storage";
import { connectionOf, type DatabaseUrl } from "./database.ts";

export type WakeListener = (kind: WakeKind, session?: string) => void;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/** Connects while somebody listens, and again for as long as the server is away. */
export class WakeChannel implements AsyncDisposable {
  readonly #at: DatabaseUrl;
  readonly #listeners = new Set<WakeListener>();
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #isClosed = false;
  #connecting: Promise<void> = Promise.resolve();

  constructor(at: DatabaseUrl) {
    this.#at = at;
  }

  listen(listener: WakeListener): Disposable {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#connecting = this.#connect();
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** `kind`, or `kind:session`. */
  static payloadOf(kind: WakeKind, session?: string): string {
    return session === undefined ? kind : `${kind}:${session}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#connecting;
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    if (this.#isClosed) return;
    const client = new Client(connectionOf(this.#at));
    client.on("error", () => this.#lost(client));
    client.on("end", () => this.#lost(client));
    client.on("notification", ({ payload = "" }) => this.#tell(payload));
    this.#client = client;
    try {
      await client.connect();
      // A process must be able to end while it listens.
      (client as Client & { unref(): void }).unref();
      await client.query(`LISTEN ${this.#at.schema}`);
      this.#pauseMs = FIRST_PAUSE_MS;
      // Something may have been stored while nobody was listening.
      for (const kind of WAKE_KINDS) this.#tell(kind);
    } catch {
      // Whoever uses the database says what is wrong with it.
      this.#lost(client);
    }
  }

  /** Tries again, later and later. */
  #lost(client: Client): void {
    if (this.#isClosed || this.#client !== client) return;
    this.#client = undefined;
    client.end().catch(() => undefined);
    this.#timer = setTimeout(() => {
      this.#connecting = this.#connect();
    }, this.#pauseMs).unref();
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #tell(payload: string): void {
    const colon = payload.indexOf(":");
    const kind = colon === -1 ? payload : payload.slice(0, colon);
    const session = colon === -1 ? undefined : payload.slice(colon + 1);
    // A newer version may tell of other kinds.
    if (!(WAKE_KINDS as readonly string[]).includes(kind)) return;
    for (const listener of this.#listeners) listener(kind as WakeKind, session);
  }
}
