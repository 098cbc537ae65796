/** `hermes sessions search` */
import type { DatabaseSync } from "node:sqlite";
import { searchSessions } from "#agent/session-search";
import { visible } from "#allowlist/visible";
import { HermesError } from "#core/errors";
import type { CliContext } from "#cli/context";
import { printList, type Column } from "#cli/list";

const COLUMNS: readonly Column[] = [
  { head: "SESSION" },
  { head: "TIME", kind: "time" },
  { head: "IN", isOptional: true },
  { head: "TITLE", kind: "line", isOptional: true },
  { head: "TEXT", kind: "text" },
];

export interface SearchOptions {
  readonly json?: true;
  readonly limit: number;
}

/** Prints the sessions that have all words of the text. Throws HERMES_USAGE for a text without words. */
export async function search(
  database: DatabaseSync,
  text: string,
  { json, limit }: SearchOptions,
  context: CliContext,
): Promise<void> {
  if (text.trim() === "") throw new HermesError("HERMES_USAGE", { problem: "Say what to search for." });
  const hits = await Array.fromAsync(searchSessions(database, { text, limit }));
  if (json) return context.json({ hits });
  if (hits.length === 0) return context.out(`No session has "${visible(text)}".`);
  const rows = hits.map(({ session_id, at, role, title, snippet }) => [session_id, at, role, title ?? "", snippet]);
  printList(context, COLUMNS, rows);
}
