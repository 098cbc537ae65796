/** The sessions of the home for the dashboard's page. */
import type { ExportedSession, SqliteSessions } from "#agent/sessions";
import { sumUsage, type ModelPrices } from "#core/usage-text";
import type { StoredSessions } from "#dashboard/session-routes";

export interface StoredSessionParts {
  readonly store: Pick<SqliteSessions, "list" | "get" | "export" | "usage">;
  readonly search: StoredSessions["search"];
  readonly toMarkdown: (session: ExportedSession) => string;
  /** Of the configured model; undefined when they are not known. */
  readonly prices: ModelPrices | undefined;
}

/** Nothing is written. Every method throws what the database throws. */
export function storedSessions({ store, search, toMarkdown, prices }: StoredSessionParts): StoredSessions {
  return {
    list: (options) => store.list(options),
    find: (id) => (store.get(id) === undefined ? undefined : store.export(id)),
    usage(ids) {
      const found = [...store.usage.byModel(ids)];
      return new Map(found.map(([id, parts]) => [id, sumUsage(parts, prices)]));
    },
    // What `find` gave is what the store exported.
    toMarkdown: (session) => toMarkdown(session as ExportedSession),
    search,
  };
}
