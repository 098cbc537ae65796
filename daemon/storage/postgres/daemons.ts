/** The daemons of all machines: a row each, kept fresh by its process. */
import { hostname } from "node:os";
import { HermesError } from "#core/errors";
import type {
  DaemonDirectory,
  DaemonHold,
  DaemonReport,
  PlacedDaemon,
  RunningState,
} from "#core/ports/daemon-directory";
import type { Handled, InboxState } from "#core/ports/inbox";
import { SILENT_MS } from "#core/heartbeat";
import { isGone, processSpace, thisProcess, type PlacedProcess } from "#core/process-space";
import { isoTime } from "#daemon/storage/rules";
import type { PostgresDatabase } from "./database.ts";
import { WakeChannel } from "./listener.ts";
import type { ServerTime } from "./sql.ts";

const OURS = "space IS NOT DISTINCT FROM $2 AND pid = $3 AND pid_start IS NOT DISTINCT FROM $4";
const QUEUED = `(SELECT COUNT(*) FROM inbox_messages WHERE session = daemons.name AND inbox_messages.state = 'queued')`;

const SQL = {
  find: "SELECT name, host, space, pid, pid_start AS start, beat_at FROM daemons WHERE name = $1",
  hold: `INSERT INTO daemons (name, space, pid, pid_start, host, session_id, state, hooks, started_at, beat_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
    ON CONFLICT (name) DO UPDATE SET space = excluded.space, pid = excluded.pid, pid_start = excluded.pid_start,
      host = excluded.host, session_id = excluded.session_id, state = excluded.state, hooks = excluded.hooks,
      started_at = excluded.started_at, beat_at = excluded.beat_at, stop_requested = FALSE`,
  beat: `UPDATE daemons SET session_id = $5, state = $6, hooks = $7, beat_at = $8 WHERE name = $1 AND ${OURS}
    RETURNING stop_requested, ${QUEUED} AS queued`,
  release: `DELETE FROM daemons WHERE name = $1 AND ${OURS}`,
  list: `SELECT name, host, space, pid, pid_start AS start, session_id, state, hooks, started_at, beat_at,
      ${QUEUED} AS queued FROM daemons ORDER BY name COLLATE "C"`,
  stop: "UPDATE daemons SET stop_requested = TRUE WHERE name = $1",
  handled: "SELECT state, answer, problem FROM inbox_messages WHERE id = $1",
} as const;

interface Holder extends PlacedProcess {
  readonly name: string;
  readonly host: string;
  readonly beat_at: number;
}

interface DaemonRow extends Holder {
  readonly session_id: string;
  readonly state: RunningState;
  readonly hooks: string;
  readonly started_at: number;
  readonly queued: number;
}

export class PostgresDaemons implements DaemonDirectory {
  readonly #database: PostgresDatabase;
  readonly #now: ServerTime;
  readonly #process = thisProcess();

  constructor(database: PostgresDatabase, now: ServerTime) {
    this.#database = database;
    this.#now = now;
  }

  async hold(name: string, report: DaemonReport): Promise<DaemonHold> {
    await this.#database.transaction(async (tx) => {
      const now = await this.#now(tx);
      const [, [holder]] = await Promise.all([tx.lock(`daemon ${name}`), tx.rows<Holder>(SQL.find, name)]);
      if (holder !== undefined && !this.#isOurs(holder) && isRunning(holder, now)) {
        throw new HermesError("HERMES_DAEMON_RUNNING", { name, pid: holder.pid, host: holder.host });
      }
      const { session_id, state, hooks } = report;
      await tx.run(SQL.hold, ...this.#key(name), hostname(), session_id, state, JSON.stringify(hooks), now);
    });
    return {
      beat: (latest) => this.#beat(name, latest),
      [Symbol.asyncDispose]: () => this.#release(name),
    };
  }

  async list(): Promise<readonly PlacedDaemon[]> {
    const now = await this.#now();
    const rows = await this.#database.rows<DaemonRow>(SQL.list);
    return rows
      .filter((row) => isRunning(row, now))
      .map(({ name, host, pid, session_id, state, hooks, queued, started_at }) => ({
        name,
        host,
        pid,
        session_id,
        state,
        queued,
        hooks: JSON.parse(hooks) as string[],
        started_at: isoTime(started_at),
      }));
  }

  async askToStop(name: string): Promise<boolean> {
    const found = (await this.list()).some((daemon) => daemon.name === name);
    if (!found) return false;
    return this.#database.transaction(async (tx) => {
      const [count] = await Promise.all([tx.run(SQL.stop, name), tx.notify(WakeChannel.payloadOf("daemons", name))]);
      return count > 0;
    });
  }

  async handled(message: string): Promise<Handled | "missing" | undefined> {
    const [row] = await this.#database.rows<{ state: InboxState; answer: string | null; problem: string | null }>(
      SQL.handled,
      message,
    );
    if (row === undefined) return "missing";
    if (row.state === "queued" || row.state === "running") return undefined;
    return { text: row.answer, problem: row.problem };
  }

  async #beat(name: string, { session_id, state, hooks }: DaemonReport) {
    const [row] = await this.#database.rows<{ stop_requested: boolean; queued: number }>(
      SQL.beat,
      ...this.#key(name),
      session_id,
      state,
      JSON.stringify(hooks),
      await this.#now(),
    );
    if (row === undefined) return { kind: "lost", queued: 0 } as const;
    return { kind: row.stop_requested ? "stop" : "kept", queued: row.queued } as const;
  }

  async #release(name: string): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await Promise.all([
        tx.run(SQL.release, ...this.#key(name)),
        tx.notify(WakeChannel.payloadOf("daemons", name)),
        // Who waits for the answer to a message learns that nobody will give one.
        tx.notify(WakeChannel.payloadOf("inbox", name)),
      ]);
    });
  }

  #key(name: string) {
    const { space, pid, start } = this.#process;
    return [name, space, pid, start] as const;
  }

  #isOurs({ space, pid, start }: PlacedProcess): boolean {
    const mine = this.#process;
    return space === mine.space && pid === mine.pid && start === mine.start;
  }
}

/** Here the system tells; elsewhere only the heartbeat does. */
function isRunning(holder: Holder, now: number): boolean {
  if (holder.space !== null && holder.space === processSpace()) return !isGone(holder);
  return holder.beat_at > now - SILENT_MS;
}
