/** A process of its own that ends tasks of a database, one after the other, until it is killed: `node … FILE`. */
import { setTimeout as pause } from "node:timers/promises";
import { openDatabase } from "#core/home/database";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { EmbeddedTasks } from "#daemon/storage/embedded-tasks";
import { NO_OP } from "./no-op-tasks.ts";

const database = openDatabase(process.argv[2]!);
const tasks = new EmbeddedTasks(database, new EmbeddedDeliveries(database));
const self = { pid: process.pid, start: null };
const result = { status: "succeeded", exit_code: 0, ended_by: "task", error: null } as const;
const report = { event: "task_completed", endpoint: "task_completed", payload: "{}" };

process.send?.("ready");
for (;;) {
  const { id } = await tasks.submit(NO_OP);
  await tasks.claim(self, { most: 1000 });
  await tasks.record(id, 1, { session_id: "s", tokens_used: 100, tools_called: 1, calls: { terminal: 1 } });
  await tasks.end(id, 1, result, () => [report]);
  // About 200 a second.
  await pause(5);
}
