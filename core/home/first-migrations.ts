/** The first versions of the schema of `state.db`; `migrations.ts` has the later ones, and its rules are for both. */
export const FIRST_MIGRATIONS: readonly string[] = [
  `CREATE TABLE sessions (
     id TEXT PRIMARY KEY,
     key TEXT,
     platform TEXT NOT NULL,
     source TEXT NOT NULL,
     parent TEXT,
     title TEXT,
     model TEXT,
     created_at TEXT NOT NULL,
     updated_at TEXT NOT NULL,
     started_at TEXT
   ) STRICT;
   CREATE INDEX sessions_by_update ON sessions (platform, updated_at);
   CREATE INDEX sessions_by_parent ON sessions (parent);
   CREATE INDEX sessions_by_key ON sessions (key);
   CREATE TABLE messages (
     session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
     position INTEGER NOT NULL,
     message TEXT NOT NULL,
     created_at TEXT NOT NULL,
     PRIMARY KEY (session_id, position)
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE outbox (
     id INTEGER PRIMARY KEY,
     session_id TEXT NOT NULL,
     platform TEXT NOT NULL,
     chat_id TEXT NOT NULL,
     thread_id TEXT,
     text TEXT NOT NULL,
     created_at TEXT NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     sent_at TEXT
   ) STRICT;
   CREATE INDEX outbox_unsent ON outbox (platform, id) WHERE sent_at IS NULL;
   CREATE TABLE inbound_messages (
     platform TEXT NOT NULL,
     message_id TEXT NOT NULL,
     received_at TEXT NOT NULL,
     PRIMARY KEY (platform, message_id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE pairing_codes (
     id INTEGER PRIMARY KEY,
     platform TEXT NOT NULL,
     user_id TEXT NOT NULL,
     salt TEXT NOT NULL,
     hash TEXT NOT NULL,
     created_at TEXT NOT NULL,
     expires_at TEXT NOT NULL
   ) STRICT;
   CREATE TABLE pairing_lockouts (
     platform TEXT PRIMARY KEY,
     wrong_codes INTEGER NOT NULL,
     locked_until TEXT
   ) STRICT;
   CREATE TABLE paired_users (
     platform TEXT NOT NULL,
     user_id TEXT NOT NULL,
     approved_at TEXT NOT NULL,
     PRIMARY KEY (platform, user_id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE hook_values (
     hook TEXT NOT NULL,
     key TEXT NOT NULL,
     value TEXT NOT NULL,
     PRIMARY KEY (hook, key)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE dashboard_events (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     at TEXT NOT NULL,
     src TEXT NOT NULL,
     event_type TEXT NOT NULL,
     context TEXT NOT NULL
   ) STRICT;`,
  `CREATE TABLE client_histories (
     session_id TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
     before TEXT NOT NULL,
     after TEXT NOT NULL
   ) STRICT;
   CREATE INDEX client_histories_by_before ON client_histories (before);
   CREATE INDEX client_histories_by_after ON client_histories (after);
   CREATE TABLE api_answers (
     conversation TEXT NOT NULL,
     key TEXT NOT NULL,
     request TEXT NOT NULL,
     answer TEXT NOT NULL,
     session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE,
     created_at TEXT NOT NULL,
     PRIMARY KEY (conversation, key)
   ) STRICT;
   CREATE INDEX api_answers_by_time ON api_answers (created_at);`,
  `CREATE TABLE unanswered_messages (
     id INTEGER PRIMARY KEY,
     platform TEXT NOT NULL,
     chat_id TEXT NOT NULL,
     thread_id TEXT,
     text TEXT NOT NULL,
     pid INTEGER NOT NULL,
     process_start TEXT,
     received_at TEXT NOT NULL
   ) STRICT;`,
  `CREATE TABLE deliveries (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     event TEXT NOT NULL,
     endpoint TEXT NOT NULL,
     payload TEXT NOT NULL,
     status TEXT NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     due_at INTEGER NOT NULL,
     changed_at INTEGER NOT NULL,
     leased_until INTEGER,
     leased_by TEXT,
     last_status INTEGER,
     last_error TEXT,
     created_at TEXT NOT NULL,
     delivered_at TEXT
   ) STRICT;
   CREATE INDEX deliveries_due ON deliveries (endpoint, due_at) WHERE status = 'pending';
   CREATE INDEX deliveries_by_status ON deliveries (status, number);
   CREATE TABLE delivery_attempts (
     delivery INTEGER NOT NULL REFERENCES deliveries (number) ON DELETE CASCADE,
     at TEXT NOT NULL,
     status INTEGER,
     error TEXT,
     duration_ms INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX delivery_attempts_by_delivery ON delivery_attempts (delivery);
   CREATE TABLE disabled_endpoints (
     name TEXT PRIMARY KEY,
     disabled_at TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE tasks (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     status TEXT NOT NULL,
     prompt TEXT NOT NULL,
     cwd TEXT NOT NULL,
     settings TEXT NOT NULL,
     idempotency_key TEXT UNIQUE,
     foreground INTEGER NOT NULL,
     created_at INTEGER NOT NULL,
     started_at INTEGER,
     ended_at INTEGER,
     attempt INTEGER NOT NULL DEFAULT 1,
     taken_up INTEGER NOT NULL DEFAULT 0,
     announced INTEGER NOT NULL DEFAULT 0,
     cancel_requested INTEGER NOT NULL DEFAULT 0,
     session_id TEXT,
     tokens_used INTEGER,
     tools_called INTEGER,
     exit_code INTEGER,
     ended_by TEXT,
     error TEXT,
     pid INTEGER,
     pid_start TEXT,
     holder INTEGER,
     holder_start TEXT
   ) STRICT;
   CREATE INDEX tasks_by_status ON tasks (status, number);`,
  `CREATE TABLE inbox_messages (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     session TEXT NOT NULL,
     source TEXT NOT NULL,
     label TEXT NOT NULL,
     content TEXT NOT NULL,
     state TEXT NOT NULL,
     cuts INTEGER NOT NULL DEFAULT 0,
     created_at INTEGER NOT NULL,
     ended_at INTEGER,
     holder INTEGER,
     holder_start TEXT
   ) STRICT;
   CREATE INDEX inbox_messages_by_state ON inbox_messages (session, state, number);
   CREATE INDEX inbox_messages_queued ON inbox_messages (source) WHERE state = 'queued';
   CREATE TABLE inbox_ids (
     scope TEXT NOT NULL,
     id TEXT NOT NULL,
     remembered_at INTEGER NOT NULL,
     PRIMARY KEY (scope, id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE inbox_tasks (
     number INTEGER PRIMARY KEY,
     task TEXT NOT NULL UNIQUE,
     session TEXT NOT NULL
   ) STRICT;
   CREATE TABLE schedules (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     time TEXT NOT NULL,
     prompt TEXT NOT NULL,
     next_at INTEGER NOT NULL,
     set_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX schedules_by_time ON schedules (name, next_at);`,
  `CREATE TABLE counters (
     name TEXT NOT NULL,
     labels TEXT NOT NULL,
     amount REAL NOT NULL,
     PRIMARY KEY (name, labels)
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE inbound_runs (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     session TEXT NOT NULL,
     hook TEXT NOT NULL,
     state TEXT NOT NULL,
     variables TEXT NOT NULL,
     body BLOB NOT NULL,
     dedup_id TEXT,
     coalesce_key TEXT,
     window_ends_at INTEGER,
     output TEXT,
     status INTEGER,
     exit_code INTEGER,
     created_at INTEGER NOT NULL,
     started_at INTEGER,
     ended_at INTEGER
   ) STRICT;
   CREATE INDEX inbound_runs_open ON inbound_runs (session, hook, number) WHERE state IN ('queued', 'running');
   CREATE INDEX inbound_runs_ended ON inbound_runs (ended_at) WHERE ended_at IS NOT NULL;`,
  `CREATE TABLE dashboard_sessions (
     hash TEXT PRIMARY KEY,
     used_at INTEGER NOT NULL
   ) STRICT;`,
  `CREATE TABLE session_usage (
     number INTEGER PRIMARY KEY,
     session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
     kind TEXT NOT NULL,
     at TEXT NOT NULL,
     model TEXT,
     input_tokens INTEGER NOT NULL,
     output_tokens INTEGER NOT NULL,
     context_tokens INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX session_usage_by_session ON session_usage (session_id, number);`,
];
