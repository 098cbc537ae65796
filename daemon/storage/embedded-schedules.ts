/** Schedules in `state.db`, written by several processes. Every method is done when it returns its promise. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import type { FiredSchedule, NewSchedule, Schedule, ScheduleStore, StoredSchedule } from "#core/ports/schedules";
import type { EmbeddedInbox } from "./embedded-inbox.ts";
import { newId } from "./ids.ts";

const MOST_CANDIDATES = 10;

const SQL = {
  add: "INSERT INTO schedules (id, name, time, prompt, next_at, set_at) VALUES (?, ?, ?, ?, ?, ?)",
  list: `SELECT id, name, time AS "when", prompt, next_at, set_at FROM schedules WHERE (:name IS NULL OR name = :name)
    ORDER BY next_at, number`,
  find: "SELECT id FROM schedules WHERE id >= :from AND id < :from || '~' ORDER BY number DESC LIMIT :limit",
  remove: "DELETE FROM schedules WHERE id = ?",
  removeDue: "DELETE FROM schedules WHERE id = ? AND next_at = ?",
  move: "UPDATE schedules SET next_at = ?, set_at = ? WHERE id = ? AND next_at = ?",
  isDue: "SELECT 1 FROM schedules WHERE id = ? AND next_at = ?",
} as const;

interface ScheduleRow extends Omit<StoredSchedule, "next_at" | "set_at"> {
  readonly next_at: number;
  readonly set_at: number;
}

export class EmbeddedSchedules implements ScheduleStore {
  readonly #database: DatabaseSync;
  readonly #inbox: EmbeddedInbox;
  readonly #statements = new Map<string, StatementSync>();
  readonly #now: () => number;

  /** `inbox` is in the same database; `now` is the wall clock in milliseconds. */
  constructor(database: DatabaseSync, inbox: EmbeddedInbox, now: () => number = Date.now) {
    this.#database = database;
    this.#inbox = inbox;
    this.#now = now;
  }

  async add({ name, when, prompt, nextAt }: NewSchedule): Promise<Schedule> {
    const id = newId();
    this.#run("add", id, name, when, prompt, nextAt.getTime(), this.#now());
    return { id, name, when, prompt, next_at: nextAt.toISOString() };
  }

  async list(name?: string): Promise<readonly StoredSchedule[]> {
    return this.#named<ScheduleRow>("list", { name: name ?? null }).map((row) => ({
      ...row,
      next_at: new Date(row.next_at).toISOString(),
      set_at: new Date(row.set_at).toISOString(),
    }));
  }

  async find(beginning: string): Promise<readonly string[]> {
    return this.#named<{ id: string }>("find", { from: beginning, limit: MOST_CANDIDATES }).map(({ id }) => id);
  }

  async remove(id: string): Promise<boolean> {
    return this.#run("remove", id).changes > 0;
  }

  async move({ id, next_at }: Schedule, nextAt: Date): Promise<void> {
    this.#run("move", nextAt.getTime(), this.#now(), id, Date.parse(next_at));
  }

  async fire({ id, name, prompt, next_at }: Schedule, nextAt: Date | null): Promise<FiredSchedule> {
    const at = Date.parse(next_at);
    return transaction(this.#database, (): FiredSchedule => {
      if (this.#prepare("isDue").all(id, at).length === 0) return { kind: "gone" };
      const added = this.#inbox.insert({ session: name, source: "schedule", label: id, content: prompt });
      if (added.kind === "full") return added;
      if (nextAt === null) this.#run("removeDue", id, at);
      else this.#run("move", nextAt.getTime(), this.#now(), id, at);
      return added;
    });
  }

  #prepare(name: keyof typeof SQL): StatementSync {
    let statement = this.#statements.get(name);
    if (statement === undefined) this.#statements.set(name, (statement = this.#database.prepare(SQL[name])));
    return statement;
  }

  #run(name: keyof typeof SQL, ...values: SQLInputValue[]) {
    return this.#prepare(name).run(...values);
  }

  #named<Row>(name: keyof typeof SQL, values: Record<string, SQLInputValue>): Row[] {
    return this.#prepare(name).all(values) as unknown as Row[];
  }
}
