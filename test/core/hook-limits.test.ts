import assert from "node:assert/strict";
import test from "node:test";
import type { Decision } from "#core/answers";
import { HookDispatcher } from "#core/dispatch";
import { EVENTS } from "#core/events";
import { DEFAULT_HOOK_LIMITS, limitDecision } from "#core/hook-limits";
import { answering } from "../helpers/hooks.ts";

test("text up to the limit stays, more is cut with a note of its length", () => {
  const context = (length: number): Decision => ({ kind: "context", text: "x".repeat(length) });
  assert.deepEqual(limitDecision(context(10_000), DEFAULT_HOOK_LIMITS), context(10_000));
  const cut = limitDecision(context(25_000), DEFAULT_HOOK_LIMITS);
  assert.ok(cut.kind === "context");
  assert.equal(cut.text, `${"x".repeat(10_000)}… [cut: 25000 characters, and hooks_limits.context is 10000]`);
  const block = limitDecision({ kind: "block", message: "💡".repeat(3000) }, { context: 1, message: 5 });
  assert.deepEqual(block, { kind: "block", message: "💡💡… [cut: 6000 characters, and hooks_limits.message is 5]" });
  const modify: Decision = { kind: "modify", args: { text: "x".repeat(50_000) } };
  assert.equal(limitDecision(modify, DEFAULT_HOOK_LIMITS), modify);
});

for (const dialect of ["plugin", "shell"] as const) {
  test(`every ${dialect} hook's context and message is cut, and blank context adds nothing`, async () => {
    const dispatcher = new HookDispatcher();
    dispatcher.limits = () => ({ context: 3, message: 4 });
    const add = (context: string) =>
      dispatcher.register({
        ...answering("pre_llm_call", undefined),
        run: () => ({ answer: { context }, dialect }),
      });
    add("abcdef");
    add(" \n");
    add("ghijkl");
    const joined = await dispatcher.invoke_hook("pre_llm_call", EVENTS.pre_llm_call.sample());
    const note = "… [cut: 6 characters, and hooks_limits.context is 3]";
    assert.deepEqual(joined, { kind: "context", text: `abc${note}\n\nghi${note}` });
    dispatcher.register({
      ...answering("pre_tool_call", undefined),
      run: () => ({ answer: { action: "block", message: "stop it" }, dialect }),
    });
    const blocked = await dispatcher.invoke_hook("pre_tool_call", EVENTS.pre_tool_call.sample());
    assert.deepEqual(blocked, { kind: "block", message: "stop… [cut: 7 characters, and hooks_limits.message is 4]" });
  });
}
