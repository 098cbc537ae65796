/** What a home has counted, in `state.db`, written by several processes. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import { MOST_SERIES, MOST_TOOLS, OTHER, type Count, type CounterName, type CounterStore } from "#core/ports/counters";

const SQL = {
  add: `INSERT INTO counters (name, labels, amount) VALUES (?, ?, ?)
    ON CONFLICT (name, labels) DO UPDATE SET amount = amount + excluded.amount`,
  isKnown: "SELECT 1 FROM counters WHERE name = ? AND labels = ?",
  series: "SELECT COUNT(*) AS series FROM counters WHERE name = ?",
  read: "SELECT name, labels, amount FROM counters ORDER BY name, labels",
} as const;

export class EmbeddedCounters implements CounterStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async add(counts: readonly Count[]): Promise<void> {
    transaction(this.#database, () => this.insert(counts));
  }

  /** Like {@link add}, in the caller's transaction. */
  insert(counts: readonly Count[]): void {
    for (const { name, labels, amount } of counts) {
      this.#prepare("add").run(name, JSON.stringify(this.#admitted(name, labels)), amount);
    }
  }

  async read(): Promise<readonly Count[]> {
    const rows = this.#prepare("read").all() as unknown as { name: CounterName; labels: string; amount: number }[];
    return rows.map(({ name, labels, amount }) => ({ name, labels: JSON.parse(labels) as string[], amount }));
  }

  /** The labels, or those of all the others once there are too many. */
  #admitted(name: CounterName, labels: readonly string[]): readonly string[] {
    if (labels.length === 0 || this.#prepare("isKnown").get(name, JSON.stringify(labels)) !== undefined) return labels;
    const { series } = this.#prepare("series").get(name) as unknown as { series: number };
    const most = name === "tool_calls" ? MOST_TOOLS : MOST_SERIES;
    return series < most ? labels : labels.map((value, index) => (isOpen(name, index) ? OTHER : value));
  }

  #prepare(name: keyof typeof SQL): StatementSync {
    let statement = this.#statements.get(name);
    if (statement === undefined) this.#statements.set(name, (statement = this.#database.prepare(SQL[name])));
    return statement;
  }
}

/** Whether a label's values come from outside: bounds of buckets and outcomes are few. */
function isOpen(name: CounterName, index: number): boolean {
  if (name === "tool_calls") return true;
  return (
    (name === "deliveries" && index === 0) || ((name === "hook_runs" || name.startsWith("hook_seconds")) && index < 2)
  );
}
