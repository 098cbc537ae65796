/** The sessions of the home for the dashboard's page. */
import type { ExportedSession, SqliteSessions } from "#agent/sessions";
import type { StoredSessions } from "#dashboard/session-routes";

/** Nothing is written. Every method throws what the database throws. */
export function storedSessions(
  store: Pick<SqliteSessions, "list" | "get" | "export">,
  search: StoredSessions["search"],
  toMarkdown: (session: ExportedSession) => string,
): StoredSessions {
  return {
    list: (options) => store.list(options),
    find: (id) => (store.get(id) === undefined ? undefined : store.export(id)),
    // What `find` gave is what the store exported.
    toMarkdown: (session) => toMarkdown(session as ExportedSession),
    search,
  };
}
