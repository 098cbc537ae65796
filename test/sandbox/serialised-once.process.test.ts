/** The payload becomes JSON once per firing, however many scripts read it, and not at all when none does. */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import test from "node:test";
import { grantExplicitTest } from "#allowlist/decide";
import { HookDispatcher } from "#core/dispatch";
import { parseHookEntries } from "#sandbox/shell/entries";
import { createShellHook } from "#sandbox/shell/hook";

const scripts = resolve(import.meta.dirname, "../fixtures/scripts");

/** How often the arguments of one call became JSON, with this many hooks for its tool. */
async function countSerialisations(hooks: number, event: "pre_tool_call" | "post_tool_call"): Promise<number> {
  let count = 0;
  const text = "x".repeat(1_000_000);
  const dispatcher = new HookDispatcher();
  const matching = Array.from({ length: hooks }, () => ({ matcher: "terminal", command: "./silent.sh" }));
  const entries = [...matching, { matcher: "other", command: "./silent.sh" }];
  for (const entry of parseHookEntries({ [event]: entries }).entries) {
    const shellContext = { cwd: scripts, home: "/the/home", env: { PATH: process.env["PATH"] } };
    dispatcher.register(createShellHook(entry, { decide: grantExplicitTest, shellContext }));
  }
  const args = {
    text,
    toJSON: () => {
      count++;
      return { text };
    },
  };
  const call = { tool_name: "terminal", args, task_id: "t", session_id: "s", tool_call_id: "c" };
  if (event === "pre_tool_call") await dispatcher.invoke_hook(event, call);
  else await dispatcher.invoke_hook(event, { ...call, result: "{}" });
  return count;
}

for (const event of ["pre_tool_call", "post_tool_call"] as const) {
  test(`${event}: ten scripts, one serialisation; none, none`, async () => {
    assert.equal(await countSerialisations(10, event), 1);
    assert.equal(await countSerialisations(3, event), 1);
    assert.equal(await countSerialisations(0, event), 0);
  });
}
