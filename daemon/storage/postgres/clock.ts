/** The time of a database server, which all machines take for the time: their own clocks may be hours apart. */
import type { Sql } from "./sql.ts";

/** How long the server is not asked again. This machine's own clock may be set meanwhile: only its pace counts. */
const FRESH_MS = 30_000;

export class DatabaseClock {
  /** The server's time less `performance.now()`. */
  #offset = 0;
  #setAt = Number.NEGATIVE_INFINITY;

  get isFresh(): boolean {
    return performance.now() - this.#setAt < FRESH_MS;
  }

  /** In milliseconds since 1970. */
  get now(): number {
    return Math.round(performance.now() + this.#offset);
  }

  /** Asks the server. Rejects with what `sql` throws. */
  async set(sql: Sql): Promise<void> {
    const asked = performance.now();
    const [row] = await sql.rows<{ now: number }>(
      "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::float8 AS now",
    );
    const answered = performance.now();
    this.#offset = row!.now - (asked + answered) / 2;
    this.#setAt = answered;
  }
}
