/** Schedules in `state.db`, written by several processes. Every method is done when it returns its promise. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import type { FiredSchedule, NewSchedule, Schedule, ScheduleStore, StoredSchedule } from "#core/ports/schedules";
import type { EmbeddedInbox } from "./embedded-inbox.ts";
import { newId } from "./ids.ts";
import { MOST_CANDIDATES } from "./rules.ts";
import { SCHEDULE_COLUMNS, storedSchedule, type ScheduleRow } from "./schedule-rows.ts";
import { Statements } from "./statements.ts";

const SQL = {
  add: "INSERT INTO schedules (id, name, time, prompt, next_at, set_at) VALUES (?, ?, ?, ?, ?, ?)",
  list: `SELECT ${SCHEDULE_COLUMNS} FROM schedules WHERE (:name IS NULL OR name = :name)
    ORDER BY next_at, number`,
  find: "SELECT id FROM schedules WHERE id >= :from AND id < :from || '~' ORDER BY number DESC LIMIT :limit",
  remove: "DELETE FROM schedules WHERE id = ?",
  removeDue: "DELETE FROM schedules WHERE id = ? AND next_at = ?",
  move: "UPDATE schedules SET next_at = ?, set_at = ? WHERE id = ? AND next_at = ?",
  isDue: "SELECT 1 FROM schedules WHERE id = ? AND next_at = ?",
} as const;

export class EmbeddedSchedules implements ScheduleStore {
  readonly #database: DatabaseSync;
  readonly #inbox: EmbeddedInbox;
  readonly #sql: Statements<keyof typeof SQL>;
  readonly #now: () => number;

  /** `inbox` is in the same database; `now` is the wall clock in milliseconds. */
  constructor(database: DatabaseSync, inbox: EmbeddedInbox, now: () => number = Date.now) {
    this.#database = database;
    this.#sql = new Statements(database, SQL);
    this.#inbox = inbox;
    this.#now = now;
  }

  async add({ name, when, prompt, nextAt }: NewSchedule): Promise<Schedule> {
    const id = newId();
    this.#sql.run("add", id, name, when, prompt, nextAt.getTime(), this.#now());
    return { id, name, when, prompt, next_at: nextAt.toISOString() };
  }

  async list(name?: string): Promise<readonly StoredSchedule[]> {
    return this.#sql.rows<ScheduleRow>("list", { name: name ?? null }).map(storedSchedule);
  }

  async find(beginning: string): Promise<readonly string[]> {
    return this.#sql.rows<{ id: string }>("find", { from: beginning, limit: MOST_CANDIDATES }).map(({ id }) => id);
  }

  async remove(id: string): Promise<boolean> {
    return this.#sql.run("remove", id).changes > 0;
  }

  async move({ id, next_at }: Schedule, nextAt: Date): Promise<void> {
    this.#sql.run("move", nextAt.getTime(), this.#now(), id, Date.parse(next_at));
  }

  async fire({ id, name, prompt, next_at }: Schedule, nextAt: Date | null): Promise<FiredSchedule> {
    const at = Date.parse(next_at);
    return transaction(this.#database, (): FiredSchedule => {
      if (this.#sql.rows("isDue", id, at).length === 0) return { kind: "gone" };
      const added = this.#inbox.insert({ session: name, source: "schedule", label: id, content: prompt });
      if (added.kind === "full") return added;
      if (nextAt === null) this.#sql.run("removeDue", id, at);
      else this.#sql.run("move", nextAt.getTime(), this.#now(), id, at);
      return added;
    });
  }
}
