/** The list of hooks for people. */
import assert from "node:assert/strict";
import test from "node:test";
import { hookText } from "#cli/commands/hooks/hook-rows";
import type { ListedHook } from "#cli/commands/hooks/listed-hook";

const HOOK: ListedHook = {
  event: "pre_tool_call",
  source: "shell",
  name: "guard",
  command: "guard.sh",
  matcher: null,
  protocol: "hermes",
  timeout: 60,
  fail_closed: false,
  enabled: true,
  allowed: true,
  approved_at: null,
  drift: "none",
  problem: null,
};

test("a hook of another program says which one, and that it runs through a shell", () => {
  assert.match(hookText([{ ...HOOK, protocol: "gemini" }]), /guard\.sh +gemini \(runs through sh -c\)/);
  const cursor = { ...HOOK, protocol: "cursor", protocol_event: "beforeShellExecution" };
  assert.match(hookText([cursor]), /cursor beforeShellExecution \(runs through sh -c\)/);
  for (const protocol of [null, "hermes"]) assert.doesNotMatch(hookText([{ ...HOOK, protocol }]), /null|hermes|sh -c/);
});
