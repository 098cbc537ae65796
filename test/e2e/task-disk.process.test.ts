/** Tasks in a home whose disk is full. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Task } from "#core/ports/tasks";
import { mountDisk, type Disk } from "../helpers/disk.ts";

async function tasksOf(disk: Disk): Promise<readonly Task[]> {
  const { code, stdout, stderr } = await disk.run(["tasks", "list", "--json"]);
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { tasks: Task[] }).tasks;
}

test("a full disk: a task is refused, the older ones stay, and with room again one can be submitted", async (t) => {
  const disk = mountDisk(t);
  if (disk === undefined) return;
  const first = await disk.run(["run", "--background", "say hello"]);
  assert.equal(first.code, 0, first.stderr);
  assert.equal((await disk.run(["tasks", "wait", first.stdout.trim()])).code, 0);
  disk.fill();
  const refused = await disk.run(["run", "--background", `one more ${"x".repeat(20_000)}`]);
  assert.equal(refused.code, 1, refused.stdout + refused.stderr);
  assert.equal(refused.stdout, "");
  assert.match(refused.stderr, /state\.db/);
  assert.match(refused.stderr, /full|ENOSPC|no space/i);
  rmSync(join(disk.path, "filler"));
  assert.deepEqual(
    (await tasksOf(disk)).map(({ id, status }) => [id, status]),
    [[first.stdout.trim(), "succeeded"]],
  );
  assert.match((await disk.run(["tasks", "output", first.stdout.trim()])).stdout, /^say hello/);
  const { stdout: again } = await disk.run(["run", "--background", "once more"]);
  assert.equal((await disk.run(["tasks", "wait", again.trim()])).code, 0);
});
