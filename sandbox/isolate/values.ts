/** The storage of `host.kv`: rows of `state.db`, with limits per hook. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import { VALUE_LIMITS } from "./limits.ts";

/**
 * The values of each hook, which belong to its folder: `hook` is the folder's name in `hooks/`, so that no other hook gets
 * them by taking its name. Every method throws when a limit is exceeded, and whatever the database throws.
 */
export interface HookValues {
  /** Null when there is none. */
  get(hook: string, key: string): string | null;
  set(hook: string, key: string, value: string): void;
  /** Whether there was one. */
  delete(hook: string, key: string): boolean;
}

/** `database` is called when the first handler stores a value, and again after it has failed. */
export function createHookValues(database: () => DatabaseSync): HookValues {
  let statements: Statements | undefined;
  const prepared = () => (statements ??= prepare(database()));

  return {
    get(hook, key) {
      const row = prepared().get.get(hook, key);
      return row === undefined ? null : String(row["value"]);
    },
    set(hook, key, value) {
      const bytes = Buffer.byteLength(key) + Buffer.byteLength(value);
      if (Buffer.byteLength(key) > VALUE_LIMITS.keyBytes) {
        throw new RangeError(`the key is longer than ${VALUE_LIMITS.keyBytes} bytes`);
      }
      if (Buffer.byteLength(value) > VALUE_LIMITS.valueBytes) {
        throw new RangeError(`the value is longer than ${VALUE_LIMITS.valueBytes} bytes`);
      }
      const { others, set, opened } = prepared();
      transaction(opened, () => {
        const { keys, size } = others.get(hook, key) as { keys: number; size: number };
        if (keys >= VALUE_LIMITS.keys) throw new RangeError(`a hook can store at most ${VALUE_LIMITS.keys} keys`);
        if (size + bytes > VALUE_LIMITS.allBytes) {
          throw new RangeError(`a hook can store at most ${VALUE_LIMITS.allBytes} bytes`);
        }
        set.run(hook, key, value);
      });
    },
    delete: (hook, key) => prepared().delete.run(hook, key).changes > 0,
  };
}

interface Statements {
  readonly opened: DatabaseSync;
  readonly get: StatementSync;
  readonly set: StatementSync;
  readonly delete: StatementSync;
  readonly others: StatementSync;
}

function prepare(opened: DatabaseSync): Statements {
  return {
    opened,
    get: opened.prepare("SELECT value FROM hook_values WHERE hook = ? AND key = ?"),
    set: opened.prepare(
      "INSERT INTO hook_values (hook, key, value) VALUES (?, ?, ?) ON CONFLICT (hook, key) DO UPDATE SET value = excluded.value",
    ),
    delete: opened.prepare("DELETE FROM hook_values WHERE hook = ? AND key = ?"),
    // octet_length does not read the values themselves.
    others: opened.prepare(
      `SELECT count(*) AS keys, coalesce(sum(octet_length(key) + octet_length(value)), 0) AS size
         FROM hook_values WHERE hook = ? AND key <> ?`,
    ),
  };
}
