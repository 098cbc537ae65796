/** The versions of the schema of `state.db` (CONTRACT §1). */
import { FIRST_MIGRATIONS } from "./first-migrations.ts";

/**
 * Forward migrations: number n upgrades a file from version n to n + 1. Never change a released one; add a new one.
 * Each runs inside the transaction that also raises `user_version`.
 */
export const MIGRATIONS: readonly string[] = [
  ...FIRST_MIGRATIONS,
  "CREATE INDEX deliveries_by_endpoint ON deliveries (endpoint, number);",
  "CREATE INDEX sessions_by_time ON sessions (updated_at);",
  // A message that is damaged must not keep the others from being read.
  `CREATE INDEX messages_of_system ON messages (session_id, position)
     WHERE CASE WHEN json_valid(message) THEN message ->> '$.role' = 'system' END;`,
  "ALTER TABLE sessions ADD COLUMN cwd TEXT;",
  // The index tells the size of what is kept without reading payloads.
  `CREATE TABLE recordings (
     number INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     event TEXT NOT NULL,
     session_id TEXT NOT NULL,
     tool_name TEXT,
     outcome TEXT NOT NULL,
     answer TEXT,
     redacted INTEGER NOT NULL,
     truncated INTEGER NOT NULL,
     runs TEXT NOT NULL,
     origin TEXT,
     payload TEXT NOT NULL
   ) STRICT;
   CREATE INDEX recordings_by_time ON recordings (at, number, bytes);`,
  // A deleted conversation must not stay in the recordings.
  `CREATE INDEX recordings_by_session ON recordings (session_id);
   CREATE TRIGGER recordings_of_session AFTER DELETE ON sessions
     BEGIN DELETE FROM recordings WHERE session_id = OLD.id; END;`,
  // Lists the recorded sessions without reading payloads.
  `DROP INDEX recordings_by_session;
   CREATE INDEX recordings_by_session ON recordings (session_id, at);`,
  `ALTER TABLE recordings ADD COLUMN surface TEXT;
   CREATE INDEX recordings_by_event ON recordings (event, at, number);`,
  // The last replay: one row, and what would have ended differently.
  `CREATE TABLE replays (
     number INTEGER PRIMARY KEY,
     summary TEXT NOT NULL
   ) STRICT;
   CREATE TABLE replay_changes (
     number INTEGER PRIMARY KEY,
     event TEXT NOT NULL,
     session_id TEXT NOT NULL,
     change TEXT NOT NULL
   ) STRICT;
   CREATE INDEX replay_changes_by_session ON replay_changes (session_id);
   CREATE TRIGGER replay_changes_of_session AFTER DELETE ON sessions
     BEGIN DELETE FROM replay_changes WHERE session_id = OLD.id; END;`,
  // Recognises an event that arrives from its sender and from a stream.
  "ALTER TABLE dashboard_events ADD COLUMN message_id TEXT;",
  // Who takes it: any worker, or only one with the tag.
  "ALTER TABLE tasks ADD COLUMN tag TEXT;",
  `CREATE TABLE workers (
     id TEXT PRIMARY KEY, pid INTEGER NOT NULL, pid_start TEXT, tags TEXT NOT NULL, concurrency INTEGER NOT NULL,
     started_at INTEGER NOT NULL, heartbeat_at INTEGER NOT NULL
   ) STRICT;`,
  // Threads of messaging platforms that the gateway started.
  `CREATE TABLE started_threads (
     number INTEGER PRIMARY KEY,
     platform TEXT NOT NULL,
     chat_id TEXT NOT NULL,
     thread_id TEXT NOT NULL,
     UNIQUE (platform, chat_id, thread_id)
   ) STRICT;`,
  // Messages that a platform was told have arrived, until they are done: it does not send them again.
  `CREATE TABLE arrived_messages (
     number INTEGER PRIMARY KEY,
     platform TEXT NOT NULL,
     message_id TEXT NOT NULL,
     message TEXT NOT NULL,
     arrived_at TEXT NOT NULL,
     UNIQUE (platform, message_id)
   ) STRICT;`,
  // Sessions of messaging platforms that outlive the program.
  `CREATE TABLE platform_sessions (
     account TEXT PRIMARY KEY, session TEXT NOT NULL, saved_at INTEGER NOT NULL
   ) STRICT;`,
];
