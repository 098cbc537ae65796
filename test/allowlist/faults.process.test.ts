/** Several processes and one allowlist; scripts that are swapped while they run. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { addApprovals, readAllowlist, revokeCommand } from "#allowlist/store";
import { blockHolder, makeFolder, startProgram, swapScript } from "./contention.ts";
import { until } from "../helpers/poll.ts";

const ended = (child: ReturnType<typeof startProgram>) => new Promise((end) => child.once("exit", end));

test("two processes that approve 100 pairs each leave 200 entries", async (context) => {
  const { file } = makeFolder(context);
  const ends = ["a", "b"].map((prefix) => ended(startProgram(context, "adds-approvals.ts", file, "100", prefix)));
  assert.deepEqual(await Promise.all(ends), [0, 0]);
  const { approvals, warnings } = readAllowlist(file);
  assert.deepEqual(warnings, []);
  assert.equal(new Set(approvals.map(({ command }) => command)).size, 200);
});

test("kill -9 inside the lock: the next command works, without cleaning up", async (context) => {
  const { folder, file } = makeFolder(context);
  await addApprovals(file, [{ event: "pre_tool_call", command: "first" }]);
  const sentinel = join(folder, "blocked");
  const holder = startProgram(context, "blocks-in-lock.ts", file, "killed", "0", sentinel);
  await until(() => existsSync(sentinel), "the holder has the lock");
  holder.kill("SIGKILL");
  await ended(holder);
  assert.ok(existsSync(`${file}.lock`), "the lock is left behind");
  assert.equal(await addApprovals(file, [{ event: "pre_tool_call", command: "next" }]), 1);
  assert.equal(await revokeCommand(file, "first"), 1);
  assert.deepEqual(
    readAllowlist(file).approvals.map(({ command }) => command),
    ["next"],
  );
});

test("a holder that stood still for longer than its lock lasts notices, does it again, and nothing is lost", async (context) => {
  await blockHolder(context, 0);
});

test("200 runs while the script is swapped in a tight loop: unapproved bytes never run", async (context) => {
  await swapScript(context, 200);
});
