/** `hermes sessions search` */
import type { DatabaseSync } from "node:sqlite";
import { searchSessions } from "#agent/session-search";
import { visible } from "#allowlist/visible";
import { age } from "#core/age";
import { HermesError } from "#core/errors";
import { columns, roomForLast } from "#cli/columns";
import type { CliContext } from "#cli/context";
import { fitLine } from "#cli/text-width";

export interface SearchOptions {
  readonly json?: true;
  readonly limit: number;
}

/** Prints the sessions that have all words of the text. Throws HERMES_USAGE for a text without words. */
export function search(
  database: DatabaseSync,
  text: string,
  { json, limit }: SearchOptions,
  context: CliContext,
): void {
  if (text.trim() === "") throw new HermesError("HERMES_USAGE", { problem: "Say what to search for." });
  const hits = searchSessions(database, text, limit);
  if (json) return context.json({ hits });
  if (hits.length === 0) return context.out(`No session has "${visible(text)}".`);
  const now = Date.now();
  const rows = [
    ["SESSION", "AGE", "IN", "TITLE"],
    ...hits.map(({ session_id, at, role, title }) => [
      session_id,
      age(at, now),
      role,
      fitLine(visible(title ?? ""), 30),
    ]),
  ];
  const room = roomForLast(rows);
  const cells = ["TEXT", ...hits.map(({ snippet }) => fitLine(visible(snippet), room))];
  context.out(columns(rows.map((row, index) => [...row, cells[index]!])).join("\n"));
}
