/** The thread that writes events (see `store.ts`). It may block while other processes write. */
import type { DatabaseSync } from "node:sqlite";
// oxlint-disable-next-line no-restricted-imports -- this file is the thread
import { parentPort, workerData } from "node:worker_threads";
import { openDatabase, transaction } from "#core/home/database";
import { problemOf } from "#core/errors";
import type { WriteReply, WriteRequest } from "./store.ts";

const SQLITE_BUSY = 5;

// Two dashboards of one home number their events independently: the later row then gets the next free number.
const INSERT = `INSERT INTO dashboard_events (seq, at, src, event_type, context, message_id)
  VALUES ((SELECT CASE WHEN EXISTS (SELECT 1 FROM dashboard_events WHERE seq = ?1) THEN NULL ELSE ?1 END), ?2, ?3, ?4, ?5, ?6)`;

let database: DatabaseSync | undefined;

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
parentPort?.on("message", (request: WriteRequest) => parentPort?.postMessage(write(request)));

function write(request: WriteRequest): WriteReply {
  try {
    database ??= openDatabase(workerData as string);
    writeRows(database, request);
    return { written: request.rows.length };
  } catch (error) {
    return { lost: problemOf(error) };
  }
}

function writeRows(open: DatabaseSync, { rows, oldest }: WriteRequest): void {
  try {
    transaction(open, () => {
      const insert = open.prepare(INSERT);
      for (const { seq, at, src, event_type, context, id } of rows) insert.run(seq, at, src, event_type, context, id);
      open.prepare("DELETE FROM dashboard_events WHERE seq < ?").run(oldest);
    });
  } catch (error) {
    // SQLite's busy timeout has passed. Try once more instead of losing the events.
    if ((error as { errcode?: unknown }).errcode !== SQLITE_BUSY) throw error;
    writeRows(open, { rows, oldest });
  }
}
