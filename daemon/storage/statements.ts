/** The prepared statements of a store, each made when it is first used. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

/** By position, or one record of named values. */
type Values = readonly SQLInputValue[] | readonly [Readonly<Record<string, SQLInputValue>>];

export class Statements<Name extends string> {
  readonly #database: DatabaseSync;
  readonly #sources: Readonly<Record<Name, string>>;
  readonly #made = new Map<Name, StatementSync>();

  constructor(database: DatabaseSync, sources: Readonly<Record<Name, string>>) {
    this.#database = database;
    this.#sources = sources;
  }

  run(name: Name, ...values: Values) {
    return this.#prepare(name).run(...(values as SQLInputValue[]));
  }

  rows<Row>(name: Name, ...values: Values): Row[] {
    return this.#prepare(name).all(...(values as SQLInputValue[])) as unknown as Row[];
  }

  #prepare(name: Name): StatementSync {
    let statement = this.#made.get(name);
    if (statement === undefined) this.#made.set(name, (statement = this.#database.prepare(this.#sources[name])));
    return statement;
  }
}
