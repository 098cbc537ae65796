/** The status line, with a clock that the test moves. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Frame } from "#core/frames";
import { Activity } from "#cli/chat/screen/activity";
import { textWidth } from "#cli/text-width";

const session_id = "s";
const use = (tool_id: string, tool: string): Frame => ({ type: "tool_use", session_id, tool_id, tool, params: {} });
const result = (tool_id: string): Frame => ({
  type: "tool_result",
  session_id,
  tool_id,
  tool: "",
  content: "",
  success: true,
});

function start({ isMetered = false } = {}) {
  const clock = { ms: 0 };
  const meter = (tokens = 5000) => (tokens === 0 ? "" : `ctx ${tokens / 1000}%`);
  const activity = new Activity({ stopHint: "Esc stops", now: () => clock.ms, ...(isMetered ? { meter } : {}) });
  activity.begin("Working");
  const line = (width = 80) => activity.line(width)?.slice(2);
  return { activity, clock, line };
}

test("a short wait shows nothing", () => {
  const { clock, line } = start();
  assert.equal(line(), undefined);
  clock.ms = 300;
  assert.equal(line(), "Working · 0 s · Esc stops");
});

test("the model, tools by name, several of them, and the answer", () => {
  const { activity, clock, line } = start();
  clock.ms = 2500;
  activity.progress({ kind: "request" });
  assert.equal(line(), "Thinking · 2 s · Esc stops");
  activity.show(use("1", "terminal"));
  assert.equal(line(), "Running terminal · 2 s · Esc stops");
  activity.show(use("2", "read_file"));
  activity.show(use("3", "read_file"));
  assert.equal(line(), "Running terminal, read_file ×2 · 2 s · Esc stops");
  for (const id of ["1", "2"]) activity.show(result(id));
  assert.equal(line(), "Running read_file · 2 s · Esc stops");
  activity.show(result("3"));
  assert.equal(line(), "Thinking · 2 s · Esc stops");
  activity.show({ type: "reasoning", session_id, delta: "so" });
  assert.equal(line(), "Thinking · 2 s · Esc stops");
  activity.show({ type: "text", session_id, delta: "so" });
  assert.equal(line(), "Answering · 2 s · Esc stops");
  activity.show({ type: "assistant", session_id, content: "so", finish_reason: "stop" });
  assert.equal(line(), undefined, "the answer is whole");
  activity.progress({ kind: "request" });
  assert.equal(line(), "Thinking · 2 s · Esc stops");
  activity.end();
  assert.equal(line(), undefined);
});

test("a retry has its reason and the seconds that are left", () => {
  const { activity, clock, line } = start();
  clock.ms = 1000;
  activity.progress({ kind: "retry", problem: "529 overloaded", delay_ms: 7000 });
  assert.equal(line(), "Retry in 7 s: 529 overloaded · 1 s · Esc stops");
  clock.ms = 5500;
  assert.equal(line(), "Retry in 3 s: 529 overloaded · 5 s · Esc stops");
});

test("the tokens of an answer that arrives are an estimate until they are known", () => {
  const { activity, clock, line } = start();
  clock.ms = 1000;
  activity.show({ type: "text", session_id, delta: "x".repeat(400) });
  assert.equal(line(), "Answering · 1 s · ~100 tokens · Esc stops");
  activity.progress({ kind: "tokens", input_tokens: 2000, output_tokens: 90, context_tokens: 2090 });
  assert.equal(line(), "Answering · 1 s · 2.1k tokens · Esc stops");
});

test("what does not fit is left out: the context, tokens, then the time; a long reason is cut", () => {
  const { activity, clock, line } = start({ isMetered: true });
  clock.ms = 61_000;
  assert.equal(line(), "Working · 1m 01s · ctx 5% · Esc stops", "what the last turn took");
  activity.progress({ kind: "tokens", input_tokens: 12_000, output_tokens: 345, context_tokens: 12_000 });
  assert.equal(line(), "Working · 1m 01s · 12k tokens · ctx 12% · Esc stops");
  assert.equal(line(48), "Working · 1m 01s · 12k tokens · Esc stops");
  assert.equal(line(36), "Working · 1m 01s · Esc stops");
  assert.equal(line(22), "Working · Esc stops");
  activity.progress({ kind: "retry", problem: "你好 ".repeat(50), delay_ms: 1000 });
  for (const width of [20, 40, 80]) assert.ok(textWidth(activity.line(width) ?? "") <= width, String(width));
});

test("control characters of a server's reason are not shown as they are", () => {
  const { activity, clock, line } = start();
  clock.ms = 1000;
  activity.progress({ kind: "retry", problem: "a\u001b[2Jb\nc", delay_ms: 1000 });
  assert.equal(line(), "Retry in 1 s: a\\x1b[2Jb c · 1 s · Esc stops");
});
