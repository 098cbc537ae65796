/** What a home has counted, in `state.db`, written by several processes. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import { MOST_SERIES, MOST_TOOLS, OTHER, type Count, type CounterName, type CounterStore } from "#core/ports/counters";
import { Statements } from "./statements.ts";

const SQL = {
  add: `INSERT INTO counters (name, labels, amount) VALUES (?, ?, ?)
    ON CONFLICT (name, labels) DO UPDATE SET amount = amount + excluded.amount`,
  isKnown: "SELECT 1 FROM counters WHERE name = ? AND labels = ?",
  series: "SELECT COUNT(*) AS series FROM counters WHERE name = ?",
  read: "SELECT name, labels, amount FROM counters ORDER BY name, labels",
} as const;

export class EmbeddedCounters implements CounterStore {
  readonly #database: DatabaseSync;
  readonly #sql: Statements<keyof typeof SQL>;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = new Statements(database, SQL);
  }

  async add(counts: readonly Count[]): Promise<void> {
    transaction(this.#database, () => this.insert(counts));
  }

  /** Like {@link add}, in the caller's transaction. */
  insert(counts: readonly Count[]): void {
    for (const { name, labels, amount } of counts) {
      this.#sql.run("add", name, JSON.stringify(this.#admitted(name, labels)), amount);
    }
  }

  async read(): Promise<readonly Count[]> {
    const rows = this.#sql.rows("read") as unknown as { name: CounterName; labels: string; amount: number }[];
    return rows.map(({ name, labels, amount }) => ({ name, labels: JSON.parse(labels) as string[], amount }));
  }

  /** The labels, or those of all the others once there are too many. */
  #admitted(name: CounterName, labels: readonly string[]): readonly string[] {
    if (labels.length === 0 || this.#sql.rows("isKnown", name, JSON.stringify(labels)).length > 0) return labels;
    const [{ series }] = this.#sql.rows<{ series: number }>("series", name) as [{ series: number }];
    const most = name === "tool_calls" ? MOST_TOOLS : MOST_SERIES;
    return series < most ? labels : labels.map((value, index) => (isOpen(name, index) ? OTHER : value));
  }
}

/** Whether a label's values come from outside: bounds of buckets and outcomes are few. */
function isOpen(name: CounterName, index: number): boolean {
  if (name === "tool_calls") return true;
  return (
    (name === "deliveries" && index === 0) || ((name === "hook_runs" || name.startsWith("hook_seconds")) && index < 2)
  );
}
