/** Statistics of the sources: how many events arrived, how fast, and how many their senders had to drop. */

export interface SourceReport {
  readonly src: string;
  /** Over the last ten seconds. */
  readonly rate_per_second: number;
  readonly events: number;
  /** The total that all senders of this source report as dropped. */
  readonly dropped: number;
  /**
   * Whether a process that sent events has an open connection; one that is silent for a minute may have none. Null for
   * senders that do not report what they drop.
   */
  readonly connected: boolean | null;
  readonly last_at: string;
}

/** A sender is one process; it repeatedly reports its own total. */
interface Sender {
  /** Its current connection; null when that is closed. */
  connection: object | null;
  total: number;
}

interface Source {
  events: number;
  last_at: string;
  senders: Sender[];
  /** The total of forgotten senders. */
  dropped: number;
  /** Events in each of the last seconds, indexed by second modulo the window. */
  readonly seconds: Float64Array;
  lastSecond: number;
}

const WINDOW_SECONDS = 10;
/** Senders choose their own names, so the number of sources is limited. The one that was silent longest is removed. */
const MOST_SOURCES = 256;
const MOST_SENDERS = 64;

export class Sources {
  readonly #sources = new Map<string, Source>();
  /** A monotonic clock, in milliseconds. */
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Counts one event that arrived at the given time. */
  count(src: string, at: string): void {
    const source = this.#source(src);
    source.events++;
    source.last_at = at;
    this.#advance(source);
    source.seconds[source.lastSecond % WINDOW_SECONDS]! += 1;
  }

  /**
   * Takes the total that a sender reports as dropped. Senders of one source are told apart by connection; one that
   * reconnects is recognised by its total, which never shrinks.
   */
  dropped(src: string, connection: object, total: number): void {
    const source = this.#source(src);
    const known = source.senders.find((sender) => sender.connection === connection);
    const sender = known ?? returning(source.senders, total) ?? newSender(source);
    sender.connection = connection;
    sender.total = Math.max(sender.total, total);
  }

  /** A connection closed; its sender may reconnect. */
  closed(connection: object): void {
    for (const { senders } of this.#sources.values()) {
      for (const sender of senders) if (sender.connection === connection) sender.connection = null;
    }
  }

  /** All sources, by name. */
  list(): readonly SourceReport[] {
    return [...this.#sources]
      .map(([src, source]) => {
        this.#advance(source);
        const recent = source.seconds.reduce((sum, count) => sum + count, 0);
        const dropped = source.senders.reduce((sum, { total }) => sum + total, source.dropped);
        const rate_per_second = recent / WINDOW_SECONDS;
        const connected =
          source.senders.length === 0 ? null : source.senders.some(({ connection }) => connection !== null);
        return { src, rate_per_second, events: source.events, dropped, connected, last_at: source.last_at };
      })
      .toSorted((a, b) => (a.src < b.src ? -1 : 1));
  }

  #source(src: string): Source {
    const known = this.#sources.get(src);
    if (known !== undefined) return known;
    const made: Source = {
      events: 0,
      last_at: "",
      senders: [],
      dropped: 0,
      seconds: new Float64Array(WINDOW_SECONDS),
      lastSecond: this.#second(),
    };
    if (this.#sources.size >= MOST_SOURCES) this.#forgetOne();
    this.#sources.set(src, made);
    return made;
  }

  #forgetOne(): void {
    let oldest: string | undefined;
    let oldestAt = "\uFFFF";
    for (const [src, { last_at }] of this.#sources) if (last_at < oldestAt) [oldest, oldestAt] = [src, last_at];
    if (oldest !== undefined) this.#sources.delete(oldest);
  }

  #second(): number {
    return Math.floor(this.#now() / 1000);
  }

  /** Clears the seconds that have passed since the last update. */
  #advance(source: Source): void {
    const second = this.#second();
    const passed = Math.min(second - source.lastSecond, WINDOW_SECONDS);
    for (let step = 0; step < passed; step++) source.seconds[(second - step) % WINDOW_SECONDS] = 0;
    source.lastSecond = second;
  }
}

/** The sender without a connection with the greatest total that is not greater than the reported one. */
function returning(senders: readonly Sender[], total: number): Sender | undefined {
  let best: Sender | undefined;
  for (const sender of senders) {
    if (sender.connection !== null || sender.total > total) continue;
    if (best === undefined || sender.total > best.total) best = sender;
  }
  return best;
}

function newSender(source: Source): Sender {
  const { senders } = source;
  if (senders.length >= MOST_SENDERS) {
    const gone = Math.max(
      0,
      senders.findIndex(({ connection }) => connection === null),
    );
    source.dropped += senders.splice(gone, 1)[0]!.total;
  }
  const sender: Sender = { connection: null, total: 0 };
  senders.push(sender);
  return sender;
}
