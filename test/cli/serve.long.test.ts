/** The whole drain of `hermes serve`, which takes half a minute. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Task } from "#core/ports/tasks";
import { Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { EVERYTHING, startServe } from "../helpers/serve.ts";

test("a task that outlasts the drain is queued again, and the service ends with 0", async (t) => {
  const home = new Home(t);
  const service = await startServe(t, home, { config: EVERYTHING });
  const id = (await home.run(["run", "--background", "run `touch started; sleep 300`"])).stdout.trim();
  await until(() => existsSync(join(home.work, "started")), "the task runs");
  const stopped = performance.now();
  service.kill("SIGTERM");
  const { code, stderr } = await service.ended;
  assert.equal(code, 0, stderr);
  assert.ok(performance.now() - stopped >= 30_000, "it gave the task its time");
  const task = JSON.parse((await home.run(["tasks", "status", id, "--json"])).stdout) as Task;
  assert.deepEqual([task.status, task.attempt, task.ended_by], ["queued", 1, "shutdown"]);
});
