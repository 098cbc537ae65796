/** Statements in PostgreSQL. */

/** Runs statements, each with values for `$1`, `$2`, …; inside a transaction, in its order. */
export interface Sql {
  rows<Row>(text: string, ...values: readonly unknown[]): Promise<Row[]>;
  /** The number of rows that were changed. */
  run(text: string, ...values: readonly unknown[]): Promise<number>;
}

/** Statements of one transaction. */
export interface Transaction extends Sql {
  /** Waits for all other transactions that lock one of these names in the schema, until the end of this one. */
  lock(...names: readonly string[]): Promise<void>;
  /** Tells all machines, once it is committed, that there is something of a kind. */
  notify(kind: string): Promise<void>;
}

/** The time of the server in milliseconds, asked in `sql` if it has to be: a transaction must not wait for another one. */
export type ServerTime = (sql?: Sql) => Promise<number>;
