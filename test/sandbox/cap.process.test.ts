/** However many events fire at once, only so many hooks run at a time, and every decision is right. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import { grantExplicitTest } from "#allowlist/decide";
import { HookDispatcher } from "#core/dispatch";
import { MOST_AT_ONCE, runWithinCap } from "#sandbox/process/cap";
import type { ProcessOptions } from "#sandbox/process/run";
import { parseHookEntries } from "#sandbox/shell/entries";
import { createShellHook } from "#sandbox/shell/hook";
import { until } from "../helpers/poll.ts";

const scripts = resolve(import.meta.dirname, "../fixtures/scripts");

function temporary(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "hermes-cap-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The most that ran at once, of what `counts-itself.sh` has written. */
function mostAtOnce(log: string): number {
  let running = 0;
  let most = 0;
  for (const line of readFileSync(log, "utf8").trim().split("\n")) {
    running += line === "+" ? 1 : -1;
    most = Math.max(most, running);
  }
  assert.equal(running, 0);
  return most;
}

test("500 tool calls at once with three hooks each", async (context) => {
  const log = join(temporary(context), "log");
  const commands = ["pass", "modify", "block"].map((role) => ({ command: `./counts-itself.sh ${log} ${role}` }));
  const dispatcher = new HookDispatcher();
  for (const entry of parseHookEntries({ pre_tool_call: commands }).entries) {
    const shellContext = { cwd: scripts, home: "/the/home", env: { PATH: process.env["PATH"] } };
    dispatcher.register(createShellHook(entry, { decide: grantExplicitTest, shellContext }));
  }
  const failures: string[] = [];
  dispatcher.sinks.add(({ outcome, detail }) => {
    if (outcome === "error" || outcome === "timeout") failures.push(String(detail));
  });
  const calls = Array.from({ length: 500 }, async (_, number) =>
    dispatcher.invoke_hook("pre_tool_call", {
      tool_name: "terminal",
      args: { command: `call-${number}` },
      task_id: "task",
      session_id: "session",
      tool_call_id: `id-${number}`,
    }),
  );
  const decisions = await Promise.all(calls);
  assert.deepEqual(failures, []);
  for (const [number, decision] of decisions.entries()) {
    const expected =
      number % 2 === 1
        ? { kind: "block", message: `odd ${number}` }
        : { kind: "modify", args: { command: `call-${number}`, seen: number } };
    assert.deepEqual(decision, expected);
  }
  const most = mostAtOnce(log);
  context.diagnostic(`${most} at once`);
  assert.ok(most <= MOST_AT_ONCE, `${most} ran at once`);
});

/** Runs until the file `log`.go is there. */
const holding = (log: string, options: Partial<ProcessOptions> = {}) =>
  runWithinCap({
    argv: ["sh", "-c", 'echo + >>"$0"; until [ -e "$0.go" ]; do sleep 0.02; done; echo - >>"$0"', log],
    cwd: "/",
    env: { PATH: process.env["PATH"] },
    timeoutMs: 20_000,
    maxOutputBytes: 100,
    overflow: "kill",
    ...options,
  });

test("waiting is not part of the timeout, and an abort ends the wait", async (context) => {
  const log = join(temporary(context), "log");
  const running = Array.from({ length: MOST_AT_ONCE }, () => holding(log));
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const controller = new AbortController();
  const aborted = holding(log, { signal: controller.signal });
  const second = holding(log);
  controller.abort();
  // A time-out that had begun with the wait would be over now.
  context.mock.timers.tick(60_000);
  context.mock.timers.reset();
  assert.equal((await aborted).ended, "interrupted");
  await until(
    () => (existsSync(log) ? readFileSync(log, "utf8").length : 0) >= 2 * MOST_AT_ONCE,
    "all places are taken",
  );
  writeFileSync(`${log}.go`, "");
  const results = await Promise.all([...running, second]);
  assert.deepEqual(new Set(results.map(({ ended }) => ended)), new Set(["exited"]));
  assert.equal(
    readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line === "+").length,
    MOST_AT_ONCE + 1,
  );
  assert.ok(mostAtOnce(log) <= MOST_AT_ONCE);
});
