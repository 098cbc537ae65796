/** The reports of background tasks to the session that submitted them. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { openMemoryDatabase } from "#core/home/database";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { EmbeddedInbox } from "#daemon/storage/embedded-inbox";
import { EmbeddedTasks } from "#daemon/storage/embedded-tasks";
import { TaskReports } from "#daemon/tasks/task-reports";
import { noteLog } from "../../helpers/inbox.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

test("a task whose output cannot be read holds up no other report, and is tried again", async (t) => {
  const folder = temporaryFolder(t);
  const database = openMemoryDatabase();
  const inbox = new EmbeddedInbox(database);
  const tasks = new EmbeddedTasks(database, new EmbeddedDeliveries(database));
  const { lines, log } = noteLog();
  let stored = 0;
  const reports = new TaskReports({
    name: "watcher",
    inbox,
    tasks,
    folder,
    outputs: { read: async () => undefined },
    settings: () => ({ enabled: true, timeout: 60 }),
    keepRunning: async () => undefined,
    onMessage: () => stored++,
    log,
  });
  t.after(() => reports.stop());
  const first = await reports.submit({ prompt: "first", cwd: folder });
  const second = await reports.submit({ prompt: "second", cwd: folder });
  // Where its output should be is a folder.
  mkdirSync(join(folder, `${first.id}.jsonl`));
  for (const { id } of [first, second]) await tasks.cancel(id);
  await reports.look();
  assert.deepEqual(
    (await inbox.list("watcher")).map(({ label }) => label),
    [second.id],
  );
  assert.equal(stored, 1);
  assert.deepEqual(await inbox.awaitedTasks("watcher"), [first.id], "it is still awaited");
  assert.match(lines.join("\n"), /the report of a background task cannot be stored .*EISDIR/);
});
