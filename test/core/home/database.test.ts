import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { openDatabase, openMemoryDatabase, transaction } from "#core/home/database";

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "hermes-database-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a new file is private, in WAL mode, and opens again as it is", (t) => {
  const file = join(createFolder(t), "home", "state.db");
  const database = openDatabase(file);
  assert.equal(database.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal");
  database.exec("INSERT INTO sessions VALUES ('a', NULL, 'cli', 'chat', NULL, NULL, NULL, 'x', 'x', NULL, NULL)");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(`${file}-wal`).mode & 0o777, 0o600);
  assert.equal(statSync(join(file, "..")).mode & 0o777, 0o700);
  database.close();
  const again = openDatabase(file);
  assert.equal(again.prepare("SELECT count(*) AS n FROM sessions").get()?.["n"], 1);
  again.close();
});

test("a file that others may read is made private", (t) => {
  const file = join(createFolder(t), "state.db");
  writeFileSync(file, "");
  chmodSync(file, 0o644);
  openDatabase(file).close();
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("a file of a newer program is refused and left as it is", (t) => {
  const file = join(createFolder(t), "state.db");
  const database = openDatabase(file);
  database.exec("PRAGMA user_version = 999");
  database.close();
  assert.throws(() => openDatabase(file), { code: "HERMES_STATE_NEWER", message: /schema 999/ });
});

test("a path that is not a usable database is HERMES_STATE_UNAVAILABLE", (t) => {
  const folder = createFolder(t);
  writeFileSync(join(folder, "text"), "not a database, but long enough to be looked at as one. ".repeat(40));
  mkdirSync(join(folder, "directory"));
  for (const file of [join(folder, "text"), join(folder, "directory"), join(folder, "text", "below", "state.db")]) {
    assert.throws(() => openDatabase(file), { code: "HERMES_STATE_UNAVAILABLE" }, file);
  }
});

test("a transaction is atomic, and a nested one joins the outer one", () => {
  const database = openMemoryDatabase();
  const insert = (id: string) =>
    database
      .prepare("INSERT INTO sessions VALUES (?, NULL, 'cli', 'chat', NULL, NULL, NULL, 'x', 'x', NULL, NULL)")
      .run(id);
  const count = () => database.prepare("SELECT count(*) AS n FROM sessions").get()?.["n"];
  assert.equal(
    transaction(database, () => insert("a").changes),
    1,
  );
  assert.throws(() => {
    transaction(database, () => {
      insert("b");
      transaction(database, () => insert("c"));
      throw new Error("no");
    });
  }, /no/);
  assert.equal(count(), 1);
  assert.equal(database.isTransaction, false);
});
