/** Tasks under faults: what ignores every signal, terminals that are closed, kills, reused pids, and clocks. */
import assert from "node:assert/strict";
import test from "node:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../helpers/hermes.ts";
import { gate } from "../helpers/daemon.ts";
import { noPty } from "../helpers/pty.ts";
import { until } from "../helpers/poll.ts";
import { killQuietly, lives, pidIn } from "../helpers/processes.ts";
import { statusOf, storedStatuses, submitTask, taskBecomes, taskHome, tasksOf, workersOf } from "../helpers/tasks.ts";

/** A command that runs until the file `go` is there. */
const HELD = "until [ -e go ]; do sleep 0.1; done; echo survived";

test("cancelling ends commands that fork, leave the group and ignore TERM", async (t) => {
  const home = taskHome(t, { sandbox: { tools: "off" } });
  const file = join(home.work, "pid");
  const stubborn = `trap "" TERM INT HUP; echo $$ > ${file}; while :; do sleep 1; done`;
  writeFileSync(join(home.work, "stubborn.sh"), `${stubborn}\n`);
  writeFileSync(join(home.work, "forks.sh"), "setsid sh -c 'sh ./stubborn.sh &' &\nwhile :; do sleep 1; done\n");
  const id = await submitTask(home, "run `sh ./forks.sh`");
  const pid = await pidIn(file);
  t.after(() => killQuietly(pid));
  const cancelled = await home.run(["tasks", "cancel", id]);
  assert.equal(cancelled.code, 0, cancelled.stderr);
  assert.equal((await statusOf(home, id)).status, "cancelled");
  await until(() => !lives(pid), "its process is gone");
});

test("cancelling ends a task that hears no signal, with what its plugins have started", async (t) => {
  const home = taskHome(t, { plugins: { enabled: ["stuck"] } });
  const file = join(home.work, "pid");
  home.plugin(
    "stuck",
    `import { spawn } from "node:child_process";
     export function register(api) {
       api.registerHook("pre_llm_call", () => {
         const script = 'trap "" TERM INT HUP; echo $$ > ${file}; while :; do sleep 1; done';
         spawn("sh", ["-c", script], { detached: true, stdio: "ignore" }).unref();
         for (;;);
       });
     }`,
  );
  const id = await submitTask(home, "hello");
  const pid = await pidIn(file);
  t.after(() => killQuietly(pid));
  const runner = (await statusOf(home, id)).pid!;
  const cancelled = await home.run(["tasks", "cancel", id]);
  assert.equal(cancelled.code, 0, cancelled.stderr);
  const task = await statusOf(home, id);
  assert.deepEqual([task.status, task.exit_code, task.ended_by], ["cancelled", 130, "user"]);
  await until(() => !lives(runner) && !lives(pid), "both are gone", { seen: () => [lives(runner), lives(pid)] });
});

test(
  "a terminal that is closed ends a task in the foreground, which says so, and no task in the background",
  { skip: noPty },
  async (t) => {
    const home = taskHome(t);
    const here = home.terminal(["run", "run `sleep 600`"]);
    await here.see("sleep 600");
    here.kill();
    await here.exited;
    await until(async () => (await tasksOf(home))[0]!.status !== "running", "it has ended");
    const [ended] = await tasksOf(home);
    assert.deepEqual([ended!.status, ended!.exit_code, ended!.ended_by], ["cancelled", 130, "user"]);

    const submitting = home.terminal(["run", "--background", `run \`${HELD}\``]);
    const id = (await submitting.see(/[a-z0-9]{16}/)).slice(-16);
    submitting.kill();
    const following = home.terminal(["tasks", "output", id, "--follow"]);
    await following.see("until");
    const follower = following.pid()!;
    following.kill();
    await until(() => !lives(follower), "who follows ends with its terminal");
    writeFileSync(join(home.work, "go"), "");
    await taskBecomes(home, id, "succeeded");
    assert.match((await home.run(["tasks", "output", id])).stdout, /survived/);
  },
);

test("killing worker and task together loses neither the task nor its number of attempts", async (t) => {
  const home = taskHome(t);
  const { message, entered, open } = gate(home, "killed");
  const id = await submitTask(home, message);
  await entered();
  for (const pid of [...workersOf(home), (await statusOf(home, id)).pid!]) process.kill(pid, "SIGKILL");
  open();
  await until(() => workersOf(home).length === 0, "the worker is gone");
  assert.notEqual((await statusOf(home, id)).status, "running");
  await submitTask(home, "hello");
  await taskBecomes(home, id, "succeeded");
  assert.equal((await statusOf(home, id)).attempt, 2);
});

test("a task that a command has submitted outlives the command", async (t) => {
  const home = taskHome(t, { sandbox: { tools: "off" } });
  const submit = `"$NODE" "$HERMES" --home "$TASKS" run --background 'run \`${HELD}\`'\n`;
  writeFileSync(join(home.work, "submits.sh"), submit);
  // The variables of a command: those with other names of secrets or of hermes, HERMES_DATABASE_URL among them, do not
  // reach it.
  const other = taskHome(t, {}, { storage: "embedded" });
  const env = { NODE: process.execPath, HERMES: join(ROOT, "cli/bin.js"), TASKS: other.path };
  const { stdout, stderr } = await home.run(["chat", "-q", "run `sh ./submits.sh`"], { env });
  const [id] = /[a-z0-9]{16}/.exec(stdout) ?? assert.fail(stdout + stderr);
  // It runs where the command ran.
  writeFileSync(join(home.work, "go"), "");
  await taskBecomes(other, id, "succeeded");
  const task = await statusOf(other, id);
  assert.equal(task.attempt, 1);
});

test("a worker's file whose pid belongs to another process now is no worker", async (t) => {
  const home = taskHome(t);
  home.write(`run/worker-${process.pid}.json`, JSON.stringify({ pid: process.pid, start: "1" }), 0o600);
  await taskBecomes(home, await submitTask(home, "hello"), "succeeded");
  assert.deepEqual(
    readdirSync(join(home.path, "run")).filter((name) => name.startsWith(`worker-${process.pid}.`)),
    [],
  );
});

test("prompts of any text arrive as they are", async (t) => {
  const home = taskHome(t);
  const prompts = [
    `"double" 'single' \`back\` \\ %s $HOME`,
    "two\nlines\r\n\tand a tab",
    "{{x}} {{{x}}} 🎉 👩‍👩‍👧 é",
    "-rf --background",
  ];
  for (const prompt of prompts) {
    await submitTask(home, prompt);
    assert.equal((await home.run(["run", "-", "--background"], { input: prompt })).code, 0);
  }
  const all = async () => {
    const tasks = await tasksOf(home);
    return tasks.length === 2 * prompts.length && tasks.every(({ status }) => status === "succeeded") ? tasks : null;
  };
  await until(() => [...(storedStatuses(home)?.values() ?? [])].every((status) => status === "succeeded"), "all ended");
  const tasks = await until(all, "all have succeeded");
  assert.deepEqual(
    tasks.map(({ prompt }) => prompt),
    prompts.flatMap((prompt) => [prompt, prompt]).toReversed(),
  );
});
