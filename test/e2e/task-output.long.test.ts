/** A task that prints far more than is kept: its file stays small, and so does its worker. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { statusOf, submitTask, taskBecomes, taskHome } from "../helpers/tasks.ts";

const COMMANDS = 150;
const BYTES_EACH = 7_000_000;
const MIB = 1024 * 1024;

test(
  "a task whose commands print 1 GB keeps 10 MiB of it, and its worker does not grow",
  { skip: process.platform !== "linux" && "memory is read from /proc" },
  async (t) => {
    const home = taskHome(t, { sandbox: { tools: "off" } });
    const worker = home.start(["worker"]);
    await worker.sees("The worker is ready");
    await taskBecomes(home, await submitTask(home, "run `true`"), "succeeded");
    const before = mostMemory(worker.pid);
    const call = `@terminal ${JSON.stringify({ command: `yes 0123456789abcdef | head -c ${BYTES_EACH}` })}`;
    const id = await submitTask(home, Array.from({ length: COMMANDS }, () => call).join("\n"));
    const waited = await home.run(["tasks", "wait", id]);
    assert.equal(waited.code, 0, waited.stderr);
    await taskBecomes(home, id, "succeeded");
    const task = await statusOf(home, id);
    assert.equal(task.tools_called, COMMANDS);
    const grown = mostMemory(worker.pid) - before;
    const file = join(home.path, "tasks", `${id}.jsonl`);
    const { size } = statSync(file);
    t.diagnostic(`the file has ${size} bytes; the worker grew by ${(grown / MIB).toFixed(1)} MiB`);
    assert.match(readFileSync(file, "utf8"), /^\{"type":"truncated","bytes":\d+\}$/m);
    assert.ok(size <= 10.5 * MIB, `${size} bytes are kept`);
    assert.ok(grown < 50 * MIB, `the worker grew by ${grown} bytes`);
    worker.kill("SIGTERM");
    await worker.ended;
  },
);

/** The most resident memory that a process has had, in bytes. */
function mostMemory(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? assert.fail();
  return Number(kilobytes) * 1024;
}
