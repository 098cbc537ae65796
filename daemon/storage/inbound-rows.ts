/** How the rows of inbound webhooks' runs become runs and groups, in every engine. */
import type { ClaimedRun, InboundRun, InboundRunState, RunGroup } from "#core/ports/inbound";
import { isoTimeOrNull } from "./rules.ts";

export const RUN_COLUMNS = "id, hook, session, state, status, exit_code, started_at, ended_at";
const GROUP_COLUMNS = "id, hook, output, dedup_id, coalesce_key, window_ends_at";

/** Of runs that have not ended. */
export const OPEN_RUNS = "state IN ('queued', 'running')";

/**
 * The rows of whole groups: windows that are over at a time and have no script that still has to run. `session` and
 * `time` are the engine's words for the values.
 */
export const wholeGroups = (session: string, time: string) => `SELECT ${GROUP_COLUMNS} FROM inbound_runs AS run
  WHERE session = ${session} AND state = 'running' AND output IS NOT NULL
    AND (window_ends_at IS NULL OR window_ends_at <= ${time}) AND NOT EXISTS (
      SELECT 1 FROM inbound_runs AS other WHERE other.session = run.session AND other.hook = run.hook
        AND other.coalesce_key = run.coalesce_key AND other.window_ends_at = run.window_ends_at
        AND other.${OPEN_RUNS} AND other.output IS NULL)
  ORDER BY number`;

/** A row of {@link RUN_COLUMNS}. */
export interface RunRow {
  readonly id: string;
  readonly hook: string;
  readonly session: string;
  readonly state: InboundRunState;
  readonly status: number | null;
  readonly exit_code: number | null;
  readonly started_at: number | null;
  readonly ended_at: number | null;
}

/** A row of {@link GROUP_COLUMNS}. */
export interface GroupRow {
  readonly id: string;
  readonly hook: string;
  readonly output: string;
  readonly dedup_id: string | null;
  readonly coalesce_key: string | null;
  readonly window_ends_at: number | null;
}

export interface ClaimedRunRow {
  readonly id: string;
  readonly variables: string;
  readonly body: Uint8Array;
}

export function shownRun(row: RunRow): InboundRun & { readonly hook: string; readonly session: string } {
  const { id: run_id, hook, session, state, status, exit_code, started_at, ended_at } = row;
  const times = { started_at: isoTimeOrNull(started_at), ended_at: isoTimeOrNull(ended_at) };
  return { run_id, state, status, exit_code, ...times, hook, session };
}

export function claimedRun({ id, variables, body }: ClaimedRunRow): ClaimedRun {
  return { id, variables: JSON.parse(variables) as Record<string, string>, body };
}

/** Rows of one window and key are one group; one without a key is a group of its own. */
export function groupsOf(rows: readonly GroupRow[]): readonly RunGroup[] {
  const groups = Map.groupBy(rows, ({ id, hook, coalesce_key: key, window_ends_at: ends }) =>
    key === null ? id : JSON.stringify([hook, key, ends]),
  );
  return [...groups.values()].map((group) => ({
    hook: group[0]!.hook,
    runs: group.map(({ id, output, dedup_id: dedupId }) => ({ id, output, dedupId })),
  }));
}
