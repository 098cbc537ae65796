/** What the operator of a gateway learns: a line for each message, for each retry, and the hooks that are loaded. */
import assert from "node:assert/strict";
import test from "node:test";
import { plainText } from "#core/styled-text";
import { hookLines, messageLine, retryLine } from "#cli/gateway/operator";
import type { MessageReport } from "#gateway/deps";
import { createGatewayBench } from "../helpers/gateway-bench.ts";
import { MemoryAdapter } from "../helpers/memory-adapter.ts";
import { until } from "../helpers/poll.ts";

test("each message is reported once, with who wrote it, how long it took and how it ended", async (t) => {
  const reports: MessageReport[] = [];
  const { adapter, tool } = await createGatewayBench(t, { deps: { onMessage: (report) => void reports.push(report) } });
  await adapter.ask("hello");
  await adapter.ask("/status");
  const waiting = adapter.ask("@wait {}");
  await tool.running(1);
  await adapter.ask("/stop");
  await waiting;
  await until(() => reports.length === 4, "four messages are reported");
  assert.deepEqual(reports.map(({ outcome }) => outcome).toSorted(), [
    "answered",
    "answered",
    "answered",
    "interrupted",
  ]);
  for (const { platform, user_id, seconds } of reports) {
    assert.equal(platform, "memory");
    assert.notEqual(user_id, "");
    assert.ok(seconds >= 0);
  }
});

test("a platform that is retried is reported with its pause, until the pause is the longest", async (t) => {
  const down = () => {
    throw new Error("connection refused");
  };
  const retries: string[] = [];
  const late = new MemoryAdapter({ name: "late", starts: Array.from({ length: 6 }, () => down) });
  const { gateway } = await createGatewayBench(t, {
    adapters: [new MemoryAdapter(), late],
    deps: { onRetry: (platform, seconds, problem) => void retries.push(`${platform} ${seconds} ${problem}`) },
  });
  await until(() => gateway.adapters["late"] !== undefined, "the platform runs");
  // The first failure is a warning; pauses of 10 and 20 ms follow, of which 20 is the longest.
  assert.deepEqual(retries, ["late 1 connection refused"]);
});

test("the lines name what matters and nothing a terminal acts on", () => {
  const report = { platform: "telegram", user_id: "42\u001b", outcome: "answered", code: null, seconds: 2.14 } as const;
  assert.equal(plainText(messageLine(report)), String.raw`telegram 42\x1b: answered in 2.1s`);
  const failed = { ...report, user_id: "", outcome: "failed", code: "HERMES_MODEL", seconds: 61 } as const;
  const line = messageLine(failed);
  assert.equal(plainText(line), "telegram: failed after 1m 01s (HERMES_MODEL)");
  assert.equal(line[1]?.style, "red");
  assert.equal(
    plainText(retryLine("telegram", 4, "connection refused")),
    "telegram: still not running, next attempt in 4s: connection refused",
  );
  const hook = (source: "shell" | "worker", name: string, event: string) => ({ source, name, event, command: null });
  const hooks = [
    hook("shell", "~/.hermes/agent-hooks/guard.sh", "pre_tool_call"),
    hook("shell", "~/.hermes/agent-hooks/guard.sh", "post_tool_call"),
    hook("worker", "watcher", "agent:start"),
  ];
  assert.deepEqual(hookLines(hooks).map(plainText), [
    "Shell hooks: guard.sh (pre_tool_call, post_tool_call)",
    "Gateway hooks: watcher (agent:start)",
  ]);
  assert.deepEqual(hookLines([]).map(plainText), ["No hooks are loaded."]);
});
