/** `/tasks` in a conversation on the terminal. */
import assert from "node:assert/strict";
import test from "node:test";
import { statusOf, submitTask, taskBecomes, taskHome } from "../helpers/tasks.ts";

test("/tasks in chat lists the tasks, shows what one has printed, and cancels it", async (t) => {
  const home = taskHome(t);
  const say = async (text: string) => (await home.run(["chat", "-q", text])).stdout.trim();
  assert.match(await say("/tasks"), /^No tasks yet/);
  const id = await submitTask(home, "run `for i in $(seq 40); do echo line $i; done`");
  await taskBecomes(home, id, "succeeded");
  const other = await submitTask(home, "run `sleep 600`");
  await taskBecomes(home, other, "running");
  const list = (await say("/tasks")).split("\n");
  assert.match(list[0]!, new RegExp(`^${other} running, \\w+: run .sleep 600.$`));
  assert.match(list[1]!, new RegExp(`^${id} succeeded, \\w+: run .for i`));
  const shown = await say(`/tasks ${id.slice(0, 6)}`);
  assert.match(
    shown,
    new RegExp(`^${id} succeeded, [\\d.]+m?s, tool calls: 1, tokens: \\d+, exit code: 0\nprompt: run `),
  );
  const { stdout } = await home.run(["tasks", "output", id]);
  const last = stdout.trim().split("\n").at(-1)!.slice(0, 100);
  assert.ok(last !== "" && shown.includes(last), shown);
  assert.equal(await say(`/tasks cancel ${other}`), `Task ${other} is cancelled.`);
  assert.equal((await statusOf(home, other)).status, "cancelled");
  assert.match((await home.run(["chat", "-q", "/help"])).stdout, /\/tasks \[ID\|cancel ID\] +list/);
});
