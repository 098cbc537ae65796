/** The record of a run is the same whether dispatch ran the hook or a gateway hook's queue did. */
import assert from "node:assert/strict";
import test from "node:test";
import { HookDispatcher } from "#core/dispatch";
import type { HookIdentity, HookRun } from "#core/ports/hook";
import { makeRun } from "#core/runs";
import { HookQueue } from "#gateway/hooks/queue";
import { makeHook } from "../helpers/hooks.ts";
import { makeGatewayHook } from "../helpers/gateway-hook.ts";

const SESSION = { session_id: "s1" };

async function throughDispatch(): Promise<HookRun[]> {
  const runs: HookRun[] = [];
  const dispatcher = new HookDispatcher();
  dispatcher.sinks.add((run) => void runs.push(run));
  const hook = makeHook("on_session_start", async () => ({ answer: undefined }), { name: "watcher" });
  dispatcher.register(hook);
  for (let count = 0; count < 5; count++) {
    await dispatcher.invoke_hook("on_session_start", { ...SESSION, model: "m", platform: "cli" });
  }
  return runs;
}

async function throughQueue(): Promise<HookRun[]> {
  const runs: HookRun[] = [];
  const identity = { source: "worker", name: "watcher", event: "session:*", command: null, dropped: 0 } as const;
  const queue = new HookQueue({
    hook: makeGatewayHook("watcher", { events: ["session:*"], timeoutSeconds: 60 }),
    open: async () => ({ run: async () => undefined, close: async () => undefined }),
    record: (run) => void runs.push(run),
    onDrop: () => undefined,
  });
  for (let count = 0; count < 5; count++) void queue.publish(identity, "session:start", SESSION);
  await queue.idle();
  return runs;
}

for (const [path, run] of Object.entries({ dispatch: throughDispatch, "the queue of a gateway hook": throughQueue })) {
  test(`a record by ${path}: the same keys, and a duration to the microsecond`, async () => {
    const before = Date.now();
    const runs = await run();
    assert.equal(runs.length, 5);
    for (const { at, duration_ms, event, source, ...rest } of runs) {
      assert.ok(at >= before - 1 && at <= Date.now() + 1);
      assert.equal(duration_ms, Math.round(duration_ms * 1000) / 1000);
      assert.ok(duration_ms >= 0);
      assert.ok(event.endsWith("start"));
      assert.ok(["plugin", "worker"].includes(source));
      assert.deepEqual(rest, {
        name: "watcher",
        command: null,
        outcome: "pass",
        cause: null,
        exit_code: null,
        session_id: "s1",
        tool_name: null,
        tool_call_id: null,
        detail: null,
      });
    }
  });
}

test("a record names the event that fired, not the one that the hook listens to", () => {
  const hook: HookIdentity = { source: "shell", name: "guard", event: "agent:*", command: "guard.sh" };
  const firing = { event: "agent:end", session_id: "s", tool_name: null, tool_call_id: null };
  const verdict = { outcome: "block", cause: "timeout", detail: "late" } as const;
  const started = performance.now() - 1.23456;
  const attempt = { started, ended: started + 1.23456 };
  const { at: _at, ...rest } = makeRun(hook, { firing, attempt, verdict, exit_code: 2 });
  const { source, name, command } = hook;
  assert.deepEqual(rest, { ...firing, ...verdict, source, name, command, exit_code: 2, duration_ms: 1.235 });
});
