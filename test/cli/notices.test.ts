import test from "node:test";
import assert from "node:assert/strict";
import { noticeOf } from "#cli/chat/notices";
import type { HookRun } from "#core/ports/hook";

const run = (event: string, outcome: HookRun["outcome"], detail: string | null): HookRun => ({
  at: 0,
  event,
  source: "worker",
  name: "rules",
  command: null,
  outcome,
  cause: null,
  duration_ms: 1,
  exit_code: null,
  session_id: "",
  tool_name: null,
  tool_call_id: null,
  detail,
});

test("a block is shown with its reason if it has one, and a command as it was typed", () => {
  assert.equal(noticeOf(run("pre_tool_call", "block", "no\nway")), "hook rules blocked pre_tool_call: no ⏎ way");
  assert.equal(noticeOf(run("command:model", "block", "no")), "hook rules blocked /model: no");
  assert.equal(noticeOf(run("command:model", "block", null)), "hook rules blocked /model");
  assert.equal(noticeOf(run("command:model", "skip", null)), "hook rules handled /model");
});

test("what a hook says to the user is shown with its name", () => {
  assert.equal(noticeOf(run("pre_tool_call", "pass", "two rules are old")), "hook rules: two rules are old");
  const context = { ...run("pre_llm_call", "context", "a tip"), notice: "a tip" };
  assert.equal(noticeOf(context), "hook rules: a tip");
  assert.equal(noticeOf(run("pre_tool_call", "pass", null)), undefined);
});
