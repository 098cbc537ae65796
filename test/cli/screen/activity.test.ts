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

function start() {
  const clock = { ms: 0 };
  const activity = new Activity("Esc stops", () => clock.ms);
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
  activity.show(use("1", "terminal"), true);
  assert.equal(line(), "Running terminal · 2 s · Esc stops");
  activity.show(use("2", "read_file"), true);
  activity.show(use("3", "read_file"), true);
  assert.equal(line(), "Running terminal, read_file ×2 · 2 s · Esc stops");
  for (const id of ["1", "2"]) activity.show(result(id), true);
  assert.equal(line(), "Running read_file · 2 s · Esc stops");
  activity.show(result("3"), true);
  assert.equal(line(), "Thinking · 2 s · Esc stops");
  activity.show({ type: "text", session_id, delta: "so" }, true);
  assert.equal(line(), undefined, "an answer that shows says enough");
  activity.show({ type: "text", session_id, delta: "so" }, false);
  assert.equal(line(), "Answering · 2 s · Esc stops");
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

test("what does not fit is left out: tokens, then the time; a long reason is cut", () => {
  const { activity, clock, line } = start();
  clock.ms = 61_000;
  activity.progress({ kind: "tokens", input_tokens: 12_000, output_tokens: 345 });
  assert.equal(line(), "Working · 61 s · 12k tokens · Esc stops");
  assert.equal(line(36), "Working · 61 s · Esc stops");
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
