/** Schedules that can be added from any machine. */
import type { FiredSchedule, NewSchedule, Schedule, ScheduleStore, StoredSchedule } from "#core/ports/schedules";
import { newId } from "#daemon/storage/ids";
import { MOST_CANDIDATES } from "#daemon/storage/rules";
import { SCHEDULE_COLUMNS, storedSchedule, type ScheduleRow } from "#daemon/storage/schedule-rows";
import type { PostgresDatabase } from "./database.ts";
import type { PostgresInbox } from "./inbox.ts";
import { WakeChannel } from "./listener.ts";
import type { ServerTime } from "./sql.ts";

const SQL = {
  add: "INSERT INTO schedules (id, name, time, prompt, next_at, set_at) VALUES ($1, $2, $3, $4, $5, $6)",
  list: `SELECT ${SCHEDULE_COLUMNS} FROM schedules WHERE $1::text IS NULL OR name = $1 ORDER BY next_at, number`,
  find: "SELECT id FROM schedules WHERE id >= $1 AND id < $1 || '~' ORDER BY number DESC LIMIT $2",
  remove: "DELETE FROM schedules WHERE id = $1",
  move: "UPDATE schedules SET next_at = $3, set_at = $4 WHERE id = $1 AND next_at = $2",
  isDue: "SELECT id FROM schedules WHERE id = $1 AND next_at = $2 FOR UPDATE",
} as const;

export class PostgresSchedules implements ScheduleStore {
  readonly #database: PostgresDatabase;
  readonly #inbox: PostgresInbox;
  readonly #now: ServerTime;

  /** `inbox` is in the same database. */
  constructor(database: PostgresDatabase, inbox: PostgresInbox, now: ServerTime) {
    this.#database = database;
    this.#inbox = inbox;
    this.#now = now;
  }

  async add({ name, when, prompt, nextAt }: NewSchedule): Promise<Schedule> {
    const id = newId();
    await this.#database.transaction(async (tx) => {
      const now = await this.#now(tx);
      await Promise.all([
        tx.run(SQL.add, id, name, when, prompt, nextAt.getTime(), now),
        tx.notify(WakeChannel.payloadOf("schedules", name)),
      ]);
    });
    return { id, name, when, prompt, next_at: nextAt.toISOString() };
  }

  async list(name?: string): Promise<readonly StoredSchedule[]> {
    return (await this.#database.rows<ScheduleRow>(SQL.list, name ?? null)).map(storedSchedule);
  }

  async find(beginning: string): Promise<readonly string[]> {
    const rows = await this.#database.rows<{ id: string }>(SQL.find, beginning, MOST_CANDIDATES);
    return rows.map(({ id }) => id);
  }

  async remove(id: string): Promise<boolean> {
    return (await this.#database.run(SQL.remove, id)) > 0;
  }

  async move({ id, next_at }: Schedule, nextAt: Date): Promise<void> {
    await this.#database.run(SQL.move, id, Date.parse(next_at), nextAt.getTime(), await this.#now());
  }

  fire({ id, name, prompt, next_at }: Schedule, nextAt: Date | null): Promise<FiredSchedule> {
    const at = Date.parse(next_at);
    return this.#database.transaction(async (tx): Promise<FiredSchedule> => {
      if ((await tx.rows(SQL.isDue, id, at)).length === 0) return { kind: "gone" };
      const added = await this.#inbox.insert(tx, { session: name, source: "schedule", label: id, content: prompt });
      if (added.kind === "full") return added;
      if (nextAt === null) await tx.run(SQL.remove, id);
      else await tx.run(SQL.move, id, at, nextAt.getTime(), await this.#now(tx));
      return added;
    });
  }
}
