/** What all homes of a database have counted. */
import type { Count, CounterName, CounterStore } from "#core/ports/counters";
import { admittedLabels } from "#daemon/storage/counter-labels";
import type { PostgresDatabase } from "./database.ts";
import type { Sql } from "./sql.ts";

/**
 * A series is the sum of several rows, and a connection adds to one of them: transactions that count the same do not
 * wait for each other.
 */
const SHARD = "pg_backend_pid() % 16";

export class PostgresCounters implements CounterStore {
  readonly #database: PostgresDatabase;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async add(counts: readonly Count[]): Promise<void> {
    if (counts.length > 0) await this.#database.transaction((tx) => this.insert(tx, counts));
  }

  /** Like {@link add}, in the caller's transaction. */
  async insert(tx: Sql, counts: readonly Count[]): Promise<void> {
    const sums = summed(counts);
    // Always in the same order: transactions that count the same must not wait for each other.
    const ordered = sums.toSorted((one, other) => (seriesOf(one) < seriesOf(other) ? -1 : 1));
    const known = await tx.rows<{ name: CounterName; labels: string }>(
      `UPDATE counters SET amount = counters.amount + given.amount
        FROM UNNEST($1::text[], $2::text[], $3::float8[]) AS given (name, labels, amount)
        WHERE counters.name = given.name AND counters.labels = given.labels AND shard = ${SHARD}
        RETURNING counters.name, counters.labels`,
      ordered.map(({ name }) => name),
      ordered.map(({ labels }) => JSON.stringify(labels)),
      ordered.map(({ amount }) => amount),
    );
    const updated = new Set(known.map(({ name, labels }) => `${name} ${labels}`));
    for (const count of sums) if (!updated.has(seriesOf(count))) await this.#insertNew(tx, count);
  }

  async #insertNew(tx: Sql, { name, labels, amount }: Count): Promise<void> {
    const key = JSON.stringify(labels);
    const [found] = await tx.rows<{ known: boolean; series: number }>(
      `SELECT COALESCE(BOOL_OR(labels = $2), FALSE) AS known, COUNT(DISTINCT labels) AS series
        FROM counters WHERE name = $1`,
      name,
      key,
    );
    const { known, series } = found!;
    const kept = labels.length === 0 || known ? labels : admittedLabels(name, labels, series);
    await tx.run(
      `INSERT INTO counters (name, labels, shard, amount) VALUES ($1, $2, ${SHARD}, $3)
        ON CONFLICT (name, labels, shard) DO UPDATE SET amount = counters.amount + excluded.amount`,
      name,
      JSON.stringify(kept),
      amount,
    );
  }

  async read(): Promise<readonly Count[]> {
    const rows = await this.#database.rows<{ name: CounterName; labels: string; amount: number }>(
      `SELECT name, labels, SUM(amount) AS amount FROM counters GROUP BY name, labels
        ORDER BY name COLLATE "C", labels COLLATE "C"`,
    );
    return rows.map(({ name, labels, amount }) => ({ name, labels: JSON.parse(labels) as string[], amount }));
  }
}

/** One count for each series. */
function summed(counts: readonly Count[]): readonly Count[] {
  const sums = new Map<string, Count>();
  for (const count of counts) {
    const series = seriesOf(count);
    sums.set(series, { ...count, amount: (sums.get(series)?.amount ?? 0) + count.amount });
  }
  return [...sums.values()];
}

function seriesOf({ name, labels }: Count): string {
  return `${name} ${JSON.stringify(labels)}`;
}
