/** A running worker follows config.yaml, streams its log, and takes up what other processes leave. */
import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { stringify } from "yaml";
import type { Home, Running } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { startReceiver } from "../helpers/receiver.ts";
import { statusOf, submitTask, taskBecomes, taskHome, workersOf } from "../helpers/tasks.ts";

function configure(home: Home, config: object): void {
  home.write("config.yaml", stringify({ model: { provider: "offline" }, ...config }));
}

async function startWorker(t: TestContext, home: Home): Promise<Running> {
  const worker = home.start(["worker"]);
  t.after(() => worker.kill("SIGKILL"));
  await worker.sees("The worker is ready");
  return worker;
}

test("a worker applies edits of background and webhooks, and keeps the last valid ones", async (t) => {
  const receiver = await startReceiver(t);
  const home = taskHome(t, { background: { enabled: true, max_concurrent: 1 } });
  const worker = await startWorker(t, home);
  const first = await submitTask(home, "run `sleep 600`");
  await taskBecomes(home, first, "running");
  const second = await submitTask(home, "run `sleep 600`");
  assert.equal((await statusOf(home, second)).status, "queued");
  const webhooks = { endpoints: { task_completed: { url: receiver.url } } };
  configure(home, { background: { max_concurrent: 3 }, webhooks });
  await taskBecomes(home, second, "running");
  await taskBecomes(home, await submitTask(home, "hello"), "succeeded");
  await until(() => receiver.received.length === 1, "the new endpoint was told");

  home.write("config.yaml", "background: [");
  await until(
    () => /the changed config\.yaml is not applied: .*config\.yaml/.test(home.read("logs/hermes.log")),
    "it is said",
  );
  configure(home, { background: { enabled: false }, webhooks });
  await until(
    () => home.read("logs/hermes.log").split("applies the changed config.yaml").length > 2,
    "it is read again",
  );
  configure(home, { background: { max_concurrent: 3 }, webhooks });
  for (const id of [first, second]) assert.equal((await home.run(["tasks", "cancel", id])).code, 0);
  await taskBecomes(home, await submitTask(home, "hello"), "succeeded");
  worker.kill("SIGTERM");
  assert.equal((await worker.ended).code, 0);
});

test("the worker and its tasks stream their logs; a file has one writer", async (t) => {
  const home = taskHome(t, {
    logging: { stream: { destinations: [{ type: "file", path: "streamed.log" }] } },
    hooks: { pre_llm_call: [{ command: "echo complaint >&2; exit 3" }] },
    hooks_auto_accept: true,
  });
  const worker = await startWorker(t, home);
  await taskBecomes(home, await submitTask(home, "hello"), "succeeded");
  const streamed = () => (home.has("streamed.log") ? home.read("streamed.log").trimEnd().split("\n") : []);
  const pids = () => new Set(streamed().map((line) => (JSON.parse(line) as { pid: number }).pid));
  await until(() => streamed().some((line) => line.includes("complaint")), "the task's line", { seen: streamed });
  configure(home, { logging: { stream: { destinations: [{ type: "file", path: "streamed.log" }] } } });
  await home.run(["run", "--background", "hello"]);
  await until(() => pids().has(worker.pid) && pids().size > 1, "lines of both", { seen: streamed });
  const foreground = pids().size;
  await home.run(["run", "hello"]);
  assert.equal(pids().size, foreground, "a task in the foreground streams as little as a chat");
  worker.kill("SIGTERM");
  await worker.ended;
});

test("what a killed or short process leaves is sent by a worker at once", async (t) => {
  const receiver = await startReceiver(t);
  let isUp = false;
  receiver.answer = (_request, response) => {
    // The short process hangs here, and gives up.
    if (isUp) response.end();
  };
  const home = taskHome(t, { webhooks: { endpoints: { "agent:end": { url: receiver.url, timeout: 5 } } } });
  const worker = await startWorker(t, home);
  const short = home.start(["chat", "-q", "hello"]);
  await until(() => receiver.received.length === 1, "it is being sent");
  isUp = true;
  assert.equal((await short.ended).code, 0);
  await until(() => receiver.received.length === 2, "the worker has sent it");

  isUp = false;
  const killed = home.start(["chat", "-q", "hello"]);
  await until(() => receiver.received.length === 3, "it is being sent");
  isUp = true;
  killed.kill("SIGKILL");
  await killed.ended;
  await until(() => receiver.received.length === 4, "the worker has sent it, too");
  const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
  assert.deepEqual([ids[0], ids[2]], [ids[1], ids[3]]);
  worker.kill("SIGTERM");
  await worker.ended;
});

test("a gateway sends what others leave, too", async (t) => {
  const receiver = await startReceiver(t);
  const home = taskHome(t, {
    gateway: { platforms: { api_server: { enabled: true, port: 0 } } },
    webhooks: { endpoints: { "agent:end": { url: receiver.url, timeout: 5 } } },
  });
  const gateway = home.start(["gateway"]);
  t.after(() => gateway.kill("SIGKILL"));
  await until(() => home.has(`run/webhooks-${gateway.pid}.sock`), "it can be woken");
  receiver.answer = () => undefined;
  const killed = home.start(["chat", "-q", "hello"]);
  await until(() => receiver.received.length === 1, "it is being sent");
  receiver.answer = (_request, response) => void response.end();
  killed.kill("SIGKILL");
  await killed.ended;
  await until(() => receiver.received.length === 2, "the gateway has sent it");
  gateway.kill("SIGTERM");
  await gateway.ended;
  assert.equal(home.has(`run/webhooks-${gateway.pid}.json`), false);
});

test("a worker whose database was moved away ends, and says so; the next task has another worker", async (t) => {
  const home = taskHome(t, {}, { storage: "embedded" });
  const worker = await startWorker(t, home);
  for (const suffix of ["", "-wal", "-shm"]) {
    const file = join(home.path, `state.db${suffix}`);
    if (home.has(`state.db${suffix}`)) renameSync(file, `${file}.moved`);
  }
  await home.run(["run", "--background", "hello"]);
  const { code, stderr } = await worker.ended;
  assert.equal(code, 1);
  assert.match(stderr, /state\.db cannot be used: it was moved or replaced while the worker was running/);
  await taskBecomes(home, await submitTask(home, "hello"), "succeeded");
  assert.ok(!workersOf(home).includes(worker.pid));
});
