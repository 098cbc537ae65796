/** What inboxes keep to in every engine. */
import { INBOX_SOURCES, type InboxMessage, type InboxSource } from "#core/ports/inbox";
import { isoTime } from "./rules.ts";

export const SHOWN_COLUMNS = "id, source, label, content, state, created_at";

/** In SQL: the place of a message's source in the order in which they are handled. */
export const SOURCE_RANK = `CASE source ${INBOX_SOURCES.map((source, rank) => `WHEN '${source}' THEN ${rank}`).join(" ")} END`;

/** A row of {@link SHOWN_COLUMNS}. */
export interface MessageRow extends Omit<InboxMessage, "created_at"> {
  readonly created_at: number;
}

export function shownMessage(row: MessageRow): InboxMessage {
  return { ...row, created_at: isoTime(row.created_at) };
}

/** With every source, in their order. */
export function queuedBySource(
  rows: readonly { readonly source: InboxSource; readonly count: number }[],
): ReadonlyMap<InboxSource, number> {
  const counts = new Map(rows.map(({ source, count }) => [source, count]));
  return new Map(INBOX_SOURCES.map((source) => [source, counts.get(source) ?? 0]));
}

/** The ids of messages that have failed. */
export function failedIds(rows: readonly Pick<InboxMessage, "id" | "state">[]): readonly string[] {
  return rows.filter(({ state }) => state === "failed").map(({ id }) => id);
}
