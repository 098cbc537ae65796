/** What a home has counted, in `state.db`, written by several processes. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import type { Count, CounterName, CounterStore } from "#core/ports/counters";
import { admittedLabels } from "./counter-labels.ts";
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
    return admittedLabels(name, labels, series);
  }
}
