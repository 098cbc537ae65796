/** The threads that the gateway started, in `state.db`. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { openDatabase } from "#core/home/database";
import { StartedThreads } from "#gateway/adapters/shared/started-threads";
import { noteLog } from "../../../helpers/inbox.ts";
import { temporaryFolder } from "../../../helpers/temporary-folder.ts";

test("a thread is known by its platform, chat and id, also after a restart", (t) => {
  const file = join(temporaryFolder(t), "state.db");
  const first = openDatabase(file);
  const threads = new StartedThreads(first, "one", noteLog().log);
  threads.note("C1", "17");
  threads.note("C1", "17");
  assert.equal(threads.has("C1", "17"), true);
  first.close();
  const second = openDatabase(file);
  const after = new StartedThreads(second, "one", noteLog().log);
  assert.equal(after.has("C1", "17"), true);
  assert.equal(after.has("C2", "17"), false);
  assert.equal(after.has("C1", "18"), false);
  assert.equal(new StartedThreads(second, "another", noteLog().log).has("C1", "17"), false);
  second.close();
});

test("a database that is gone costs a warning, not the message", (t) => {
  const database = openDatabase(join(temporaryFolder(t), "state.db"));
  database.close();
  const { lines, log } = noteLog();
  const threads = new StartedThreads(database, "one", log);
  threads.note("C1", "17");
  assert.equal(threads.has("C1", "17"), false);
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /^warn one: started threads cannot be kept in state\.db/);
});
