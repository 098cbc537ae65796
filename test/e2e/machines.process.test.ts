/** Two homes with one PostgreSQL, as two machines have it: a task is submitted in one and runs in the other. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import test from "node:test";
import type { Task } from "#core/ports/tasks";
import type { Worker } from "#core/ports/workers";
import { startWorker } from "../helpers/machines.ts";
import { until } from "../helpers/poll.ts";
import { PostgresServer } from "../helpers/postgres.ts";
import { statusOf, submitTask, taskBecomes, taskHome, workersOf } from "../helpers/tasks.ts";

test("a task submitted on one machine runs on another one, is followed, cancelled and listed from the first", async (t) => {
  await using server = await PostgresServer.start();
  const storage = await server.createDatabase();
  const config = { storage, sandbox: { tools: "off" } };
  const [near, far] = [taskHome(t, config), taskHome(t, config)];
  const submitted = await near.run(["run", "--background", "--tag", "gpu", "--json", "run `sleep 60`"]);
  assert.match(submitted.stderr, /no running worker has the tag gpu/);
  const { id, tag, host } = JSON.parse(submitted.stdout) as Task;
  assert.deepEqual([tag, host], ["gpu", undefined]);
  assert.match((await near.run(["tasks", "status", id])).stdout, /^tag +gpu$[^]*The task waits: no running worker/m);
  assert.deepEqual(workersOf(near), [], "nobody starts a worker for a tag");

  const worker = startWorker(t, far, "--tags", "gpu,big", "--concurrency", "2");
  await until(() => worker.stderr().includes("up to 2 tasks at a time. Its tags: gpu, big."), "it is ready", {
    seen: worker.stderr,
  });
  assert.equal((await taskBecomes(near, id, "running")).host, hostname());
  const { workers } = JSON.parse((await near.run(["workers", "--json"])).stdout) as { workers: Worker[] };
  const [found, ...others] = workers;
  assert.deepEqual(others, []);
  assert.deepEqual(Object.keys(found!), [
    "id",
    "host",
    "pid",
    "tags",
    "concurrency",
    "running",
    "started_at",
    "last_heartbeat",
  ]);
  assert.deepEqual([found!.host, found!.tags, found!.concurrency, found!.running], [hostname(), ["gpu", "big"], 2, 1]);
  const output = async () => (await near.run(["tasks", "output", id, "--output-format", "stream-json"])).stdout;
  await until(async () => (await output()).includes('"tool_use"'), "what it does is seen from afar", { seen: output });
  const cancelled = await near.run(["tasks", "cancel", id]);
  assert.equal(cancelled.code, 0, cancelled.stderr);
  const { status, exit_code, ended_by } = await statusOf(near, id);
  assert.deepEqual([status, exit_code, ended_by], ["cancelled", 130, "user"]);

  await server.kill();
  const away = await near.run(["tasks", "list"]);
  assert.deepEqual([away.code, away.stdout], [1, ""]);
  assert.match(away.stderr, /The database \S+ cannot be used/);
  const patient = far.start(["worker", "--tags", "late"]);
  await patient.sees("Trying again until it can be.");
  await server.run();
  await patient.sees("The worker is ready");
  patient.kill("SIGTERM");
  assert.equal((await patient.ended).code, 0);

  // One without a tag runs there, too: nobody needs a worker here.
  const plain = await submitTask(near, "say hello");
  await taskBecomes(near, plain, "succeeded");
  assert.equal((await near.run(["tasks", "wait", plain])).code, 0);
  assert.deepEqual(workersOf(near), []);
  const [here, there] = [await near.run(["tasks", "output", plain]), await far.run(["tasks", "output", plain])];
  assert.notEqual(here.stdout.trim(), "");
  assert.equal(here.stdout, there.stdout);
  assert.equal((await near.run(["run", "--background", "--tag", "a b", "x"])).code, 2);
});
