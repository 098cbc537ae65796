/** Lets the user choose a session to continue. */
import type { SqliteSessions, StoredSession } from "#agent/sessions";
import { visible } from "#allowlist/visible";
import { age } from "#core/age";
import { columns } from "../columns.ts";
import { fitLine } from "../text-width.ts";

const MOST_OFFERED = 20;
const TITLE_COLUMNS = 60;

/** The sessions to choose from, last used first: those with messages, on any platform. */
export function offeredSessions(sessions: Pick<SqliteSessions, "list">): readonly StoredSession[] {
  return sessions.list({ limit: MOST_OFFERED }).filter(({ message_count: count }) => count > 0);
}

/** One numbered line for each session. */
export function offerText(offered: readonly StoredSession[]): string {
  const now = Date.now();
  const rows = offered.map(({ id, updated_at: time, message_count: count, title }, index) => [
    String(index + 1).padStart(2),
    id,
    age(time, now),
    count === 1 ? "1 message" : `${count} messages`,
    fitLine(visible(title ?? ""), TITLE_COLUMNS),
  ]);
  return columns(rows).join("\n");
}

/** What to ask below the list. */
export const WHICH_SESSION = "Number or id of the session (Enter for none): ";

/** The session that was answered: an id, the beginning of one, or `latest`; undefined for none. */
export function chosenSession(answer: string, offered: readonly StoredSession[]): string | undefined {
  const word = answer.trim();
  const numbered = /^\d{1,2}$/.test(word) ? offered[Number(word) - 1] : undefined;
  return numbered?.id ?? (word || undefined);
}
