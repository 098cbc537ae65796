/** The HTTP API for the last replay of recorded firings. */
import type { FastifyInstance } from "fastify";
import type { ReplayStore, ReplaySummary } from "#core/ports/replays";
import { truncate } from "#core/truncate";
import type { RequestAccess } from "./access.ts";
import { LISTED_TEXT, limitOf, wordOf } from "./list-query.ts";

export type LastReplay = Pick<ReplayStore, "last" | "changes" | "changedEvents">;

export interface ReplayRouteParts {
  readonly access: RequestAccess;
  /** Calls with the last replay; a failure of the database is an answer. */
  readonly read: <Value>(what: (replays: LastReplay) => Promise<Value>) => Promise<Value>;
  readonly redact: (text: string) => string;
}

const MOST_HOOKS = 50;

export function addReplayRoutes(app: FastifyInstance, { access, read, redact }: ReplayRouteParts): void {
  const clean = (text: string | null) => (text === null ? null : truncate(redact(text), LISTED_TEXT));

  app.get("/api/replay", { onRequest: access.either }, (request) =>
    read(async (replays) => {
      const filter = { event: wordOf(request, "event"), limit: limitOf(request) };
      const [replay, events, changed] = await Promise.all([
        replays.last(),
        replays.changedEvents(),
        replays.changes(filter),
      ]);
      return {
        replay: replay === undefined ? null : shownReplay(replay, clean),
        events,
        changed: changed.map(({ tool_name, hook, message, ...change }) => {
          return { ...change, tool_name: clean(tool_name), hook: clean(hook), message: clean(message) };
        }),
      };
    }),
  );
}

function shownReplay(replay: ReplaySummary, clean: (text: string | null) => string | null) {
  const { filters, hooks } = replay;
  const names = (list: readonly string[]) => list.slice(0, MOST_HOOKS).map(clean);
  return {
    ...replay,
    filters: { ...filters, hook: clean(filters.hook) },
    hooks: { added: names(hooks.added), removed: names(hooks.removed) },
  };
}
