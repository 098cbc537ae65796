/** The statements of deliveries. */
import { GIVEN_UP } from "#daemon/storage/delivery-rules";

export const DELIVERY_COLUMNS =
  "id, event, endpoint, status, attempts, due_at, last_status, last_error, created_at, delivered_at";
const CLAIMED = `deliveries.number, deliveries.id, deliveries.event, deliveries.endpoint, deliveries.payload,
  deliveries.attempts, deliveries.created_at`;
/** `$1` is now, `$2` the time after which a row is from before the clock was set back. */
const IS_FREE = "(leased_until IS NULL OR leased_until <= $1 OR changed_at > $2)";
const LEASE = "SET leased_until = $3, leased_by = $4, changed_at = $1";
const NO_LEASE = "leased_until = NULL, leased_by = NULL";

export const SQL = {
  add: `INSERT INTO deliveries (id, event, endpoint, payload, status, due_at, changed_at, created_at)
    SELECT id, event, endpoint, payload,
      CASE WHEN EXISTS (SELECT 1 FROM disabled_endpoints WHERE name = endpoint) THEN 'disabled' ELSE 'pending' END,
      $5::bigint, $5::bigint, $5::bigint
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
      AS added (id, event, endpoint, payload, place) ORDER BY place
    RETURNING endpoint, status`,
  claim: `WITH free AS MATERIALIZED (
      SELECT number FROM deliveries WHERE endpoint = $5 AND status = 'pending' AND (due_at <= $1 OR changed_at > $2)
        AND ${IS_FREE} ORDER BY due_at, number LIMIT $6 FOR UPDATE SKIP LOCKED)
    UPDATE deliveries ${LEASE} FROM free WHERE deliveries.number = free.number RETURNING ${CLAIMED}`,
  claimOne: `UPDATE deliveries ${LEASE} WHERE id = $5 AND ${IS_FREE} RETURNING ${CLAIMED}`,
  attempts: `INSERT INTO delivery_attempts (delivery, at, status, error, duration_ms)
    SELECT deliveries.number, made.at, made.status, made.error, made.duration_ms
    FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::float8[]) WITH ORDINALITY
      AS made (id, at, status, error, duration_ms, place) JOIN deliveries ON deliveries.id = made.id ORDER BY place`,
  end: `UPDATE deliveries SET status = ended.status, attempts = attempts + 1, last_status = ended.answer,
      delivered_at = CASE ended.status WHEN 'delivered' THEN $5::bigint END, last_error = ended.error,
      changed_at = $5::bigint, ${NO_LEASE}
    FROM unnest($1::text[], $2::text[], $3::int[], $4::text[]) AS ended (id, status, answer, error)
    WHERE deliveries.id = ended.id RETURNING endpoint, ended.status`,
  again: `UPDATE deliveries SET status = 'pending', attempts = attempts + again.counted, due_at = again.due,
      last_status = again.answer, last_error = again.error, changed_at = $6::bigint, ${NO_LEASE}
    FROM unnest($1::text[], $2::int[], $3::bigint[], $4::int[], $5::text[]) AS again (id, counted, due, answer, error)
    WHERE deliveries.id = again.id`,
  // Whoever stores deliveries meanwhile waits: else one could be stored as pending for an endpoint that is switched off.
  lock: "LOCK TABLE deliveries IN SHARE ROW EXCLUSIVE MODE",
  disable: `INSERT INTO disabled_endpoints (name, disabled_at)
    SELECT DISTINCT endpoint, $2::bigint FROM deliveries WHERE id = ANY($1) ON CONFLICT (name) DO NOTHING`,
  holdBack: `UPDATE deliveries SET status = 'disabled' WHERE status = 'pending' AND leased_until IS NULL
    AND endpoint IN (SELECT endpoint FROM deliveries WHERE id = ANY($1)) RETURNING endpoint`,
  release: `UPDATE deliveries SET ${NO_LEASE} WHERE id = ANY($1)`,
  holders: `SELECT leased_by AS holder, MAX(leased_until) AS until FROM deliveries
    WHERE status = 'pending' AND leased_by IS NOT NULL GROUP BY leased_by`,
  releaseOf: `UPDATE deliveries SET ${NO_LEASE} WHERE leased_by = ANY($1)`,
  due: `SELECT endpoint, MIN(CASE WHEN changed_at > $1 THEN 0 ELSE GREATEST(due_at, COALESCE(leased_until, 0)) END) AS at
    FROM deliveries WHERE status = 'pending' GROUP BY endpoint`,
  find: "SELECT id FROM deliveries WHERE id >= $1 AND id < $1 || '~' ORDER BY number DESC LIMIT $2",
  get: `SELECT ${DELIVERY_COLUMNS}, payload FROM deliveries WHERE id = $1`,
  history: `SELECT at, delivery_attempts.status, error, duration_ms FROM delivery_attempts
    JOIN deliveries ON deliveries.number = delivery WHERE id = $1 ORDER BY delivery_attempts.number`,
  redeliver: `UPDATE deliveries SET status = 'pending', attempts = 0, due_at = $2, changed_at = $2, delivered_at = NULL
    WHERE id = ANY($1) AND status <> 'pending'`,
  failedSince: "SELECT id FROM deliveries WHERE status = 'failed' AND changed_at >= $1 ORDER BY number",
  counts: `SELECT endpoint, COUNT(*) FILTER (WHERE status = 'pending') AS pending,
      COUNT(*) FILTER (WHERE status = 'failed') AS failed FROM deliveries
    WHERE status IN ('pending', 'failed') GROUP BY endpoint`,
  backlog: `SELECT COUNT(*) AS pending, (SELECT created_at FROM deliveries WHERE status = 'pending' ORDER BY number LIMIT 1)
    AS oldest FROM deliveries WHERE status = 'pending'`,
  disabled: "SELECT name FROM disabled_endpoints",
  enable: "DELETE FROM disabled_endpoints WHERE name = $1",
  giveUp: `UPDATE deliveries SET status = 'failed', last_error = '${GIVEN_UP}' WHERE status = 'pending' AND created_at < $1
    RETURNING endpoint`,
  prune: "DELETE FROM deliveries WHERE status <> 'pending' AND changed_at < $1",
} as const;
