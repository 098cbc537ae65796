/** The statements of inboxes. */
import { MOST_CUTS } from "#core/ports/inbox";
import { SHOWN_COLUMNS, SOURCE_RANK } from "#daemon/storage/inbox-rows";

/** Of a process that was not heard of for too long, another one has taken over what it was handling. */
const isHeldBy = (space: string, pid: string, start: string) =>
  `state = 'running' AND space IS NOT DISTINCT FROM ${space} AND holder = ${pid} AND holder_start IS NOT DISTINCT FROM ${start}`;
const NOBODY = "space = NULL, holder = NULL, holder_start = NULL";

export const SQL = {
  countQueued: "SELECT COUNT(*) AS count FROM inbox_messages WHERE session = $1 AND state = 'queued'",
  add: `INSERT INTO inbox_messages (id, session, source, label, content, state, created_at)
    VALUES ($1, $2, $3, $4, $5, 'queued', $6)`,
  remembered: `SELECT COUNT(*) AS count FROM unnest($1::text[], $2::text[]) AS wanted (scope, id)
    JOIN inbox_ids USING (scope, id) WHERE remembered_at > $3`,
  remember: `INSERT INTO inbox_ids (scope, id, remembered_at)
    SELECT DISTINCT scope, id, $3::bigint FROM unnest($1::text[], $2::text[]) AS kept (scope, id)
    ON CONFLICT (scope, id) DO UPDATE SET remembered_at = excluded.remembered_at`,
  // Who has waited long comes first; a row from the future was written before the clock was set back.
  claim: `WITH next AS MATERIALIZED (
      SELECT number FROM inbox_messages WHERE session = $1 AND state = 'queued' AND source = ANY($5)
      ORDER BY CASE WHEN $6 OR created_at <= $7 OR created_at > $8 THEN -1 ELSE ${SOURCE_RANK} END, number
      LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE inbox_messages SET state = 'running', space = $2, holder = $3, holder_start = $4 FROM next
    WHERE inbox_messages.number = next.number RETURNING id, source, label, content, cuts`,
  end: `UPDATE inbox_messages SET state = $2, ended_at = $3, answer = $4, problem = $5, ${NOBODY}
    WHERE id = ANY($1) AND ${isHeldBy("$6", "$7", "$8")} RETURNING session`,
  release: `UPDATE inbox_messages SET state = 'queued', ${NOBODY} WHERE id = ANY($1) AND ${isHeldBy("$2", "$3", "$4")}
    RETURNING session`,
  ours: `SELECT id FROM inbox_messages WHERE id = ANY($1) AND ${isHeldBy("$2", "$3", "$4")} FOR UPDATE`,
  cut: `UPDATE inbox_messages SET cuts = cuts + 1, ${NOBODY},
      state = CASE WHEN cuts + 1 >= ${MOST_CUTS} THEN 'failed' ELSE 'queued' END,
      ended_at = CASE WHEN cuts + 1 >= ${MOST_CUTS} THEN $2::bigint END,
      problem = CASE WHEN cuts + 1 >= ${MOST_CUTS} THEN 'it was interrupted' END
    WHERE id = ANY($1) AND state = 'running' RETURNING id, state, session`,
  // Of a process elsewhere only its daemon's heartbeat tells that it lives.
  running: `SELECT id, inbox_messages.space, holder AS pid, holder_start AS start, daemons.name IS NOT NULL AS beats
    FROM inbox_messages LEFT JOIN daemons ON daemons.name = session AND daemons.beat_at > $2
      AND daemons.pid = holder AND daemons.space IS NOT DISTINCT FROM inbox_messages.space
      AND daemons.pid_start IS NOT DISTINCT FROM holder_start
    WHERE session = $1 AND inbox_messages.state = 'running' ORDER BY number FOR UPDATE OF inbox_messages`,
  get: `SELECT ${SHOWN_COLUMNS} FROM inbox_messages WHERE id = $1`,
  list: `SELECT ${SHOWN_COLUMNS} FROM inbox_messages WHERE session = $1 AND ($2::text IS NULL OR state = $2)
    ORDER BY number DESC LIMIT $3`,
  queued: `SELECT source, COUNT(*) AS count FROM inbox_messages
    WHERE state = 'queued' AND ($1::text IS NULL OR session = $1) GROUP BY source`,
  waiting: `SELECT session AS name, COUNT(*) AS count FROM inbox_messages WHERE state IN ('queued', 'running')
    GROUP BY session ORDER BY session COLLATE "C"`,
  awaitedTasks: "SELECT task FROM inbox_tasks WHERE session = $1 ORDER BY number",
  isAwaited: "SELECT task FROM inbox_tasks WHERE task = $1 FOR UPDATE",
  reported: "DELETE FROM inbox_tasks WHERE task = $1",
  prune: "DELETE FROM inbox_messages WHERE state IN ('done', 'failed') AND ended_at < $1",
  // Also those of a time that is yet to come by far: the clock was wrong then, and nothing would ever delete them.
  forget: "DELETE FROM inbox_ids WHERE remembered_at <= $1 OR remembered_at > $2",
} as const;
