import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { SqliteSessions } from "#agent/sessions";
import { openDatabase } from "#core/home/database";

const FIXTURE = new URL("../fixtures/agent/opens-and-appends.ts", import.meta.url).pathname;

test("processes that create, migrate and write the same file at the same moment lose nothing", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-sessions-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "home", "state.db");
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, [FIXTURE, file, "200"], { stdio: ["ignore", "ignore", "inherit"] }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0] as unknown));
  assert.deepEqual(codes, [0, 0, 0, 0, 0, 0]);
  const database = openDatabase(file);
  t.after(() => database.close());
  const counts = new SqliteSessions(database, () => {}).list().map(({ message_count }) => message_count);
  assert.deepEqual(counts, [200, 200, 200, 200, 200, 200]);
});
