/** Tasks as a user has them: run here or in the background, followed, cancelled, killed, and run again. */
import assert from "node:assert/strict";
import test from "node:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Task } from "#core/ports/tasks";
import { taskId } from "#cli/tasks/home";
import { openDatabase } from "#core/home/database";
import { embeddedStorage } from "#daemon/storage/embedded";
import { until } from "../helpers/poll.ts";
import { lives, signalUntilEnded } from "../helpers/processes.ts";
import { startReceiver } from "../helpers/receiver.ts";
import { statusOf, submitTask, taskBecomes, taskHome, workersOf } from "../helpers/tasks.ts";

test("in the foreground a task prints what chat -q prints, and is listed", async (t) => {
  const home = taskHome(t);
  const [task, chat] = [await home.run(["run", "hello"]), await home.run(["chat", "-q", "hello"])];
  assert.deepEqual([task.code, task.stdout], [0, chat.stdout]);
  const streamed = await home.run(["run", "!exit 3", "--output-format", "stream-json"]);
  assert.match(streamed.stdout, /^{"type":"session".*"platform":"task"/);
  const { stdout } = await home.run(["tasks", "list", "--json"]);
  const { tasks } = JSON.parse(stdout) as { tasks: Task[] };
  assert.deepEqual(
    tasks.map(({ prompt, status: state }) => [prompt, state]),
    [
      ["!exit 3", "succeeded"],
      ["hello", "succeeded"],
    ],
  );
  const again = await home.run(["tasks", "output", tasks[1]!.id]);
  assert.equal(again.stdout, task.stdout);
  for (const words of [["run"], ["run", "-"], ["run", "--background", " "]]) {
    const none = await home.run(words);
    assert.equal(none.code, 2, words.join(" "));
    assert.match(none.stderr, /A task needs a prompt/);
  }
});

test("in the background a task outlives its command; output, wait and status tell of it", async (t) => {
  const home = taskHome(t);
  const prompt = "run `sleep 1; echo done-$((40 + 2)) in $PWD`";
  const id = await submitTask(home, prompt);
  const follow = await home.run(["tasks", "output", id, "--follow"]);
  assert.equal(follow.code, 0, follow.stderr);
  assert.match(follow.stdout, new RegExp(`done-42 in ${home.work}`));
  assert.equal((await home.run(["tasks", "wait", id.slice(0, 6)])).code, 0);
  const task = await statusOf(home, id);
  assert.deepEqual(
    [task.status, task.prompt, task.platform, task.cwd, task.tools_called, task.attempt, task.exit_code, task.ended_by],
    ["succeeded", prompt, "task", home.work, 1, 1, 0, "task"],
  );
  const frames = (await home.run(["tasks", "output", id, "--output-format", "stream-json"])).stdout.trim().split("\n");
  const types = frames.map((line) => (JSON.parse(line) as { type: string }).type);
  assert.deepEqual([types[0], types.at(-1), types.includes("tool_result")], ["session", "result", true]);
  assert.equal((await home.run(["tasks", "output", id, "--tail", "1"])).stdout.split("\n").length, 2);
});

test("an unknown, malformed or ambiguous id changes nothing", async (t) => {
  const home = taskHome(t);
  const database = openDatabase(join(home.path, "state.db"));
  t.after(() => database.close());
  const { tasks } = embeddedStorage(database);
  const malformed = ["zzzzzzzz", "../../etc/passwd", "abc", "ABCDEFGH", "a".repeat(17), ""];
  for (const id of malformed) await assert.rejects(taskId(id, tasks), /There is no task/, id);
  for (const [index, command] of ["status", "output", "wait", "cancel", "retry"].entries()) {
    const { code, stderr } = await home.run(["tasks", command, malformed[index]!]);
    assert.equal(code, 3, command);
    assert.match(stderr, /There is no task/);
  }
});

test("one idempotency key is one task", async (t) => {
  const home = taskHome(t);
  const first = await submitTask(home, "hello", "--idempotency-key", "k");
  assert.equal(await submitTask(home, "another", "--idempotency-key", "k"), first);
  await taskBecomes(home, first, "succeeded");
  assert.equal(await submitTask(home, "another", "--idempotency-key", "k"), first);
  assert.match((await home.run(["run", "another", "--idempotency-key", "k"])).stdout, /^hello/);
});

test("more tasks than may run at a time wait in their order, and can be taken out of the queue", async (t) => {
  const home = taskHome(t, { background: { max_concurrent: 1 } });
  const ids = [];
  for (let number = 0; number < 3; number++) ids.push(await submitTask(home, "run `sleep 600`"));
  await taskBecomes(home, ids[0]!, "running");
  const waiting = await Promise.all(ids.slice(1).map((id) => statusOf(home, id)));
  assert.deepEqual(
    waiting.map((task) => [task.status, task.position]),
    [
      ["queued", 1],
      ["queued", 2],
    ],
  );
  assert.equal((await home.run(["tasks", "cancel", ids[1]!])).code, 0);
  assert.equal((await statusOf(home, ids[1]!)).status, "cancelled");
  assert.equal((await home.run(["tasks", "cancel", ids[0]!])).code, 0);
  await taskBecomes(home, ids[2]!, "running");
  assert.equal((await home.run(["tasks", "cancel", ids[2]!])).code, 0);
  const again = await home.run(["tasks", "cancel", ids[2]!]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /is cancelled: it has ended already/);
});

test("cancelling ends a task that ignores TERM and what it has started", async (t) => {
  const home = taskHome(t, { sandbox: { tools: "off" } });
  writeFileSync(join(home.work, "stubborn.sh"), 'trap "" TERM INT\necho $$ > pid\nwhile :; do sleep 1; done\n');
  const id = await submitTask(home, "run `sh ./stubborn.sh`");
  await until(() => readdirSync(home.work).includes("pid"), "its command runs");
  const pid = Number(readFileSync(join(home.work, "pid"), "utf8"));
  const cancelled = await home.run(["tasks", "cancel", id]);
  assert.equal(cancelled.code, 0, cancelled.stderr);
  const task = await statusOf(home, id);
  assert.deepEqual([task.status, task.exit_code, task.ended_by], ["cancelled", 130, "user"]);
  await until(() => !lives(pid), "its command is gone");
});

test("a task that takes too long is ended, and wait can give up before", async (t) => {
  const home = taskHome(t);
  const id = await submitTask(home, "run `sleep 600`", "--timeout", "3");
  assert.equal((await home.run(["tasks", "wait", id, "--timeout", "1"])).code, 124);
  const { code } = await home.run(["tasks", "wait", id]);
  assert.equal(code, 124);
  const task = await statusOf(home, id);
  assert.deepEqual([task.status, task.ended_by, task.error], ["timeout", "timeout", "it did not end within 3 s"]);
});

test("a task whose process is killed is run once more, then it is lost", async (t) => {
  const home = taskHome(t);
  const id = await submitTask(home, "run `sleep 600`");
  for (const attempt of [1, 2]) {
    await until(async () => {
      const task = await statusOf(home, id);
      return task.status === "running" && task.pid !== null && task.attempt === attempt;
    }, `attempt ${attempt} runs`);
    process.kill((await statusOf(home, id)).pid!, "SIGKILL");
  }
  await taskBecomes(home, id, "lost");
  const task = await statusOf(home, id);
  assert.deepEqual([task.attempt, task.exit_code, task.ended_by], [2, 1, "crash"]);
  assert.equal((await home.run(["tasks", "retry", id])).code, 0);
  await taskBecomes(home, id, "running");
  assert.equal((await statusOf(home, id)).attempt, 3);
  assert.equal((await home.run(["tasks", "cancel", id])).code, 0);
});

test("killing the worker loses no task: the next one takes them up", async (t) => {
  const home = taskHome(t);
  const id = await submitTask(home, "run `until [ -e go ]; do sleep 0.1; done; echo survived`");
  await taskBecomes(home, id, "running");
  for (const pid of workersOf(home)) process.kill(pid, "SIGKILL");
  await until(() => workersOf(home).length === 0, "the worker is gone");
  const second = await submitTask(home, "hello");
  await taskBecomes(home, second, "succeeded");
  writeFileSync(join(home.work, "go"), "");
  await taskBecomes(home, id, "succeeded");
  assert.match((await home.run(["tasks", "output", id])).stdout, /survived/);
});

test("a worker that is stopped puts its tasks back", async (t) => {
  const home = taskHome(t);
  const worker = home.start(["worker"]);
  await worker.sees("The worker is ready");
  const id = await submitTask(home, "run `sleep 600`");
  await taskBecomes(home, id, "running");
  worker.kill("SIGTERM");
  // A second request does not wait for the tasks.
  await signalUntilEnded(worker, "SIGTERM");
  const task = await statusOf(home, id);
  assert.deepEqual([task.status, task.attempt, task.ended_by], ["queued", 1, "shutdown"]);
  assert.equal((await home.run(["tasks", "cancel", id])).code, 0);
});

test("webhooks tell of tasks, once each, with the seed's fields", async (t) => {
  const receiver = await startReceiver(t);
  const endpoint = (path: string) => ({ url: `${receiver.url}/${path}` });
  const home = taskHome(t, {
    webhooks: {
      endpoints: {
        task_started: endpoint("started"),
        task_completed: {
          ...endpoint("completed"),
          transform: { text: "Task completed: {{prompt}} ({{duration_seconds}}s)" },
        },
        task_failed: endpoint("failed"),
        tool_called: endpoint("tool"),
      },
    },
  });
  const id = await submitTask(home, "run `true`");
  await taskBecomes(home, id, "succeeded");
  // From when its turn may start, and the call belongs to that.
  const late = await submitTask(home, "run `sleep 600`", "--timeout", "5");
  await taskBecomes(home, late, "timeout");
  await until(() => receiver.received.length === 6, "all have arrived", { seen: () => receiver.received });
  const of = (path: string) =>
    receiver.received
      .filter((one) => one.path === `/${path}`)
      .map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  const { timestamp: _, ...started } = of("started").find(({ task_id }) => task_id === id)!;
  assert.deepEqual(started, { event: "task_started", task_id: id, prompt: "run `true`", platform: "cli" });
  assert.match(String(of("completed")[0]!["text"]), /^Task completed: run `true` \([\d.]+s\)$/);
  const [failed] = of("failed");
  assert.deepEqual([failed!["task_id"], failed!["status"], failed!["result"]], [late, "timeout", "failure"]);
  assert.deepEqual(
    of("tool").map(({ task_id, tool }) => [task_id, tool]),
    [
      [id, "terminal"],
      [late, "terminal"],
    ],
  );
});

test("what keeps a turn from starting fails the task with its reason, and has chat's exit code", async (t) => {
  const home = taskHome(t, { model: { provider: "openai", api_key: "${HERMES_TEST_UNSET}" } });
  const { code, stderr } = await home.run(["run", "hello"]);
  assert.equal(code, 2);
  assert.match(stderr, /HERMES_TEST_UNSET is not set/);
  const id = await submitTask(home, "hello");
  await taskBecomes(home, id, "failed");
  assert.match((await statusOf(home, id)).error ?? "", /HERMES_TEST_UNSET is not set/);
  const { stdout } = await home.run(["tasks", "list", "--status", "failed", "--json"]);
  assert.equal((JSON.parse(stdout) as { tasks: unknown[] }).tasks.length, 2);
});

test("switched off, nothing runs in the background", async (t) => {
  const home = taskHome(t, { background: { enabled: false } });
  for (const words of [["run", "--background", "hello"], ["worker"]]) {
    const { code, stderr } = await home.run(words);
    assert.equal(code, 2, words[0]);
    assert.match(stderr, /background\.enabled is false/);
  }
  assert.equal((await home.run(["run", "hello"])).code, 0);
});
