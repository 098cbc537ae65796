/** Recorded firings in `state.db`, written by several processes. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "#core/home/database";
import type {
  NewRecording,
  RecordedEvent,
  RecordedSession,
  Recording,
  RecordingFilter,
  RecordingStore,
} from "#core/ports/recordings";
import { Statements } from "./statements.ts";

/** A row takes about this much beside its texts. */
const ROW_BYTES = 100;
/** How many payloads are in memory at a time. */
const PIECE = 100;
/** How many ids the message about an ambiguous one lists. */
const MOST_CANDIDATES = 10;
/** After each text that an id can begin with. */
const LAST_CHARACTER = String.fromCodePoint(0x10ffff);

const MATCHING = `FROM recordings WHERE (:session IS NULL OR session_id = :session)
  AND (:since IS NULL OR at >= :since) AND (:event IS NULL OR event = :event)
  AND (:namespace IS NULL OR substr(event, 1, length(:namespace)) = :namespace)`;

const SQL = {
  add: `INSERT INTO recordings
    (at, bytes, event, session_id, tool_name, outcome, answer, redacted, truncated, runs, origin, surface, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  count: `SELECT COUNT(*) AS amount ${MATCHING}`,
  read: `SELECT * ${MATCHING} AND (at, number) > (:at, :number) ORDER BY at, number LIMIT ${PIECE}`,
  sessions: `SELECT session_id AS id, COUNT(*) AS firings FROM recordings WHERE session_id <> ''
    GROUP BY session_id ORDER BY MAX(at) DESC LIMIT ?`,
  events: "SELECT event, COUNT(*) AS firings FROM recordings GROUP BY event ORDER BY event",
  findSessions: `SELECT DISTINCT session_id AS id FROM recordings WHERE session_id >= ? AND session_id < ?
    ORDER BY session_id LIMIT ${MOST_CANDIDATES}`,
  pruneOld: "DELETE FROM recordings WHERE at < ?",
  size: "SELECT COALESCE(SUM(bytes), 0) AS bytes FROM recordings",
  pruneLarge: `DELETE FROM recordings WHERE number IN (SELECT number FROM
    (SELECT number, SUM(bytes) OVER (ORDER BY at DESC, number DESC) AS total FROM recordings) WHERE total > ?)`,
} as const;

type Row = Omit<Recording, "redacted" | "truncated" | "runs" | "origin"> & {
  readonly redacted: number;
  readonly truncated: number;
  readonly runs: string;
  readonly origin: string | null;
};

export class EmbeddedRecordings implements RecordingStore {
  readonly #database: DatabaseSync;
  readonly #sql: Statements<keyof typeof SQL>;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#sql = new Statements(database, SQL);
  }

  async add(recordings: readonly NewRecording[]): Promise<void> {
    transaction(this.#database, () => recordings.forEach((recording) => this.#insert(recording)));
  }

  async count(filter: RecordingFilter): Promise<number> {
    return this.#sql.rows<{ amount: number }>("count", valuesOf(filter))[0]!.amount;
  }

  async *read(filter: RecordingFilter): AsyncGenerator<Recording> {
    const values = valuesOf(filter);
    let last = { at: Number.MIN_SAFE_INTEGER, number: 0 };
    for (;;) {
      const rows = this.#sql.rows<Row>("read", { ...values, at: last.at, number: last.number });
      for (const row of rows) yield recordingOf(row);
      if (rows.length < PIECE) return;
      last = rows.at(-1)!;
    }
  }

  async sessions(limit: number): Promise<readonly RecordedSession[]> {
    return this.#sql.rows<RecordedSession>("sessions", limit);
  }

  async events(): Promise<readonly RecordedEvent[]> {
    return this.#sql.rows<RecordedEvent>("events");
  }

  async findSessions(beginning: string): Promise<readonly string[]> {
    return this.#sql.rows<{ id: string }>("findSessions", beginning, beginning + LAST_CHARACTER).map(({ id }) => id);
  }

  async prune({ before, bytes }: { readonly before: number; readonly bytes: number }): Promise<void> {
    transaction(this.#database, () => {
      this.#sql.run("pruneOld", before);
      const [size] = this.#sql.rows<{ bytes: number }>("size");
      if (size!.bytes > bytes) this.#sql.run("pruneLarge", bytes);
    });
  }

  #insert(recording: NewRecording): void {
    const { at, event, session_id: session, tool_name: tool, outcome, answer, surface, payload } = recording;
    const runs = JSON.stringify(recording.runs);
    const origin = recording.origin === null ? null : JSON.stringify(recording.origin);
    const bytes = ROW_BYTES + Buffer.byteLength(payload) + Buffer.byteLength(runs);
    const marks = [Number(recording.redacted), Number(recording.truncated)];
    this.#sql.run("add", at, bytes, event, session, tool, outcome, answer, ...marks, runs, origin, surface, payload);
  }
}

function valuesOf({ session, since, event }: RecordingFilter) {
  const namespace = event?.endsWith(":*") === true ? event.slice(0, -1) : null;
  const exact = namespace === null ? (event ?? null) : null;
  return { session: session ?? null, since: since ?? null, event: exact, namespace };
}

function recordingOf(row: Row): Recording {
  return {
    number: row.number,
    at: row.at,
    event: row.event,
    session_id: row.session_id,
    tool_name: row.tool_name,
    outcome: row.outcome,
    answer: row.answer,
    redacted: row.redacted === 1,
    truncated: row.truncated === 1,
    runs: JSON.parse(row.runs) as Recording["runs"],
    origin: row.origin === null ? null : (JSON.parse(row.origin) as Recording["origin"]),
    surface: row.surface,
    payload: row.payload,
  };
}
