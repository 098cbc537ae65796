/** What tasks print, in PostgreSQL: rows of several lines each, in the order of their numbers. */
import type { OutputStore, OutputWriter, StoredOutput } from "#core/ports/outputs";
import type { PostgresDatabase } from "./database.ts";
import type { Machine } from "./machine.ts";
import { OutputUpload, type OutputRows } from "./output-upload.ts";

const SQL = {
  // An attempt that is over elsewhere, or runs again, must not add to the output of the next one.
  add: `INSERT INTO task_outputs (task, attempt, lines)
    SELECT id, attempt, $3 FROM tasks WHERE id = $1 AND attempt = $2 AND status = 'running' RETURNING number`,
  set: "UPDATE task_outputs SET lines = $2 WHERE number = $1",
  remove: "DELETE FROM task_outputs WHERE number = ANY ($1)",
  clear: "DELETE FROM task_outputs WHERE task = $1 AND attempt <= $2",
  place: "SELECT home, attempt FROM tasks WHERE id = $1",
  read: "SELECT number, lines FROM task_outputs WHERE task = $1 AND attempt = $2 AND number > $3 ORDER BY number",
} as const;

export class PostgresOutputs implements OutputStore {
  readonly #database: PostgresDatabase;
  readonly #machine: Machine;

  constructor(database: PostgresDatabase, machine: Machine) {
    this.#database = database;
    this.#machine = machine;
  }

  writer(id: string, attempt: number): OutputWriter {
    return new OutputUpload(this.#rowsOf(id, attempt));
  }

  async read(id: string, after = 0): Promise<StoredOutput | undefined> {
    const [place] = await this.#database.rows<{ home: string | null; attempt: number }>(SQL.place, id);
    // Before its first start it has none, wherever one looks.
    if (place === undefined || place.home === null || place.home === this.#machine.home) return undefined;
    const rows = await this.#database.rows<{ number: number; lines: string }>(SQL.read, id, place.attempt, after);
    const lines = rows.flatMap((row) => row.lines.split("\n").slice(0, -1));
    return { lines, next: rows.at(-1)?.number ?? after };
  }

  #rowsOf(id: string, attempt: number): OutputRows {
    const database = this.#database;
    return {
      clear: async () => void (await database.run(SQL.clear, id, attempt)),
      change: ({ add, set, remove }) =>
        database.transaction(async (tx) => {
          const numbers: number[] = [];
          for (const lines of add) {
            const [row] = await tx.rows<{ number: number }>(SQL.add, id, attempt, lines);
            if (row === undefined) return undefined;
            numbers.push(row.number);
          }
          if (set !== undefined) await tx.run(SQL.set, set.number, set.lines);
          if (remove.length > 0) await tx.run(SQL.remove, remove);
          return numbers;
        }),
    };
  }
}
