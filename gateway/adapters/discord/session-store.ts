/** Keeps the session in `state.db`, so that a gateway that starts again gets what was sent meanwhile. */
import type { DatabaseSync } from "node:sqlite";
import type { SessionInfo } from "@discordjs/ws";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";

export interface SessionStore {
  /** The session of an earlier run, if Discord may still have it. */
  load(): SessionInfo | null;
  /** Remembers a session, and writes it soon. */
  save(session: SessionInfo | null): void;
  /** Writes it now. */
  flush(): void;
}

/** A message more or less is sent again after a crash, and recognised by its id. */
const WRITE_MS = 3000;
/** Discord keeps the session of a bot that is gone for minutes, and says when it has ended. */
const KEPT_MS = 86_400_000;

export function createSessionStore(database: DatabaseSync, botId: string, log: Log): SessionStore {
  let unwritten: SessionInfo | null | undefined;
  let timer: NodeJS.Timeout | undefined;

  function attempt<Value>(work: () => Value): Value | undefined {
    try {
      return work();
    } catch (error) {
      // Without it, a restart misses what is sent meanwhile.
      log.warn("discord: the session cannot be kept in state.db", { problem: problemOf(error) });
      return undefined;
    }
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const session = unwritten;
    unwritten = undefined;
    if (session === undefined) return;
    attempt(() =>
      session === null
        ? database.prepare("DELETE FROM platform_sessions WHERE account = ?").run(keyOf(botId))
        : database
            .prepare("INSERT OR REPLACE INTO platform_sessions (account, session, saved_at) VALUES (?, ?, ?)")
            .run(keyOf(botId), JSON.stringify(session), Date.now()),
    );
  }

  return {
    load() {
      const row = attempt(() =>
        database.prepare("SELECT session, saved_at FROM platform_sessions WHERE account = ?").get(keyOf(botId)),
      );
      if (row === undefined || Date.now() - Number(row["saved_at"]) > KEPT_MS) return null;
      return attempt(() => JSON.parse(String(row["session"])) as SessionInfo) ?? null;
    },
    save(session) {
      unwritten = session;
      timer ??= setTimeout(flush, WRITE_MS).unref();
    },
    flush,
  };
}

function keyOf(botId: string): string {
  return `discord:${botId}`;
}
