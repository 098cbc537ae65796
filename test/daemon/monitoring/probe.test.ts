/** Whether the database takes writes, asked for the health check and the watchdog. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { databaseProbe } from "#cli/host/monitoring";
import { openDatabase } from "#core/home/database";
import { createProbe } from "#daemon/monitoring/probe";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

test("a database that others write to is well; one that is locked for good is not", async (t) => {
  const file = join(temporaryFolder(t), "state.db");
  const database = openDatabase(file);
  t.after(() => database.close());
  assert.equal(await databaseProbe(file).problem(), null);
  database.exec("BEGIN IMMEDIATE");
  const probe = databaseProbe(file);
  const asked = probe.problem();
  database.exec("COMMIT");
  assert.equal(await asked, null, "it waits for others");
  const other = new DatabaseSync(file);
  t.after(() => other.close());
  other.exec("BEGIN EXCLUSIVE");
  assert.match((await databaseProbe(file).problem()) ?? "", /locked/);
});

test("a database that is damaged, or is not there, is not well, and none is made", async (t) => {
  const folder = temporaryFolder(t);
  assert.notEqual(await databaseProbe(join(folder, "missing", "state.db")).problem(), null);
  const file = join(folder, "state.db");
  openDatabase(file).close();
  writeFileSync(file, "this is no database, and was one a moment ago".repeat(100));
  assert.match((await databaseProbe(file).problem()) ?? "", /not a database/);
});

test("many questions at a time are one write", async () => {
  let writes = 0;
  const probe = createProbe(() => void writes++, String);
  assert.deepEqual(await Promise.all([probe.problem(), probe.problem()]), [null, null]);
  assert.equal(await probe.problem(), null);
  assert.equal(writes, 1);
});
