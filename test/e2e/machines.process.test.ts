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
  // The gateway needs the database for its webhooks.
  const gateway = { platforms: { api_server: { enabled: true, port: 0 } } };
  const webhooks = { endpoints: { "gateway:startup": { url: "http://127.0.0.1:9/" } } };
  const config = { storage, sandbox: { tools: "off" }, gateway, webhooks };
  const [near, far] = [taskHome(t, config), taskHome(t, config)];
  const submitted = await near.run(["run", "--background", "--tag", "gpu", "--json", "run `sleep 600`"]);
  assert.match(submitted.stderr, /no running worker has the tag gpu/);
  const { id, tag, host } = JSON.parse(submitted.stdout) as Task;
  assert.deepEqual([tag, host], ["gpu", undefined]);
  assert.match((await near.run(["tasks", "status", id])).stdout, /^tag +gpu$[^]*The task waits: no running worker/m);
  assert.deepEqual(workersOf(near), [], "nobody starts a worker for a tag");
  const completed = async (...words: string[]) => (await far.run(["complete", "--", ...words])).stdout;
  assert.match(await completed("worker", "--tags", ""), /^gpu\ttasks wait for a worker with it$/m);

  const worker = startWorker(t, far, "--tags", "gpu,big", "--concurrency", "2");
  await until(() => worker.stderr().includes("up to 2 tasks at a time. Its tags: gpu, big."), "it is ready", {
    seen: worker.stderr,
  });
  await taskBecomes(near, id, "running");
  assert.equal((await statusOf(near, id)).host, hostname());
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
  assert.match(await completed("run", "--tag", ""), /^gpu\ta running worker has it\nbig\t/m);
  assert.match(await completed("tasks", "cancel", ""), new RegExp(`^${id}\\b`, "m"));
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
  for (const waiting of [far.start(["gateway"]), near.start(["serve"])]) {
    t.after(() => waiting.kill("SIGKILL"));
    await waiting.sees("Trying again until it can be.");
    waiting.kill("SIGTERM");
    assert.deepEqual([(await waiting.ended).code, waiting.stdout()], [0, ""], waiting.stderr());
  }
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
