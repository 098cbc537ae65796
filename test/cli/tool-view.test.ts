/** Tool calls and hooks as a terminal shows them: lines made from frames. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { TurnProgress } from "#core/ports/agent";
import { plainText, type StyledLine } from "#core/styled-text";
import { HookNotes, type ShownRun } from "#cli/chat/hook-notes";
import { shortHookName } from "#cli/chat/hook-name";
import { createRenderer } from "#cli/chat/renderers";
import { ToolView } from "#cli/chat/tool-view";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

const text = (lines: readonly StyledLine[]) => lines.map(plainText);
const colors = (lines: readonly StyledLine[]) => lines.flatMap((line) => line.map(({ style }) => style ?? "plain"));

function openView({ verbose = false, width = 60, hasFiles = false } = {}) {
  let seconds = 0;
  const view = new ToolView({ verbose: { on: verbose }, width: () => width, now: () => seconds, hasFiles });
  return {
    view,
    pass: (more: number) => void (seconds += more),
    use: (tool: string, params: Readonly<Record<string, unknown>>, id = "1") =>
      view.use({ type: "tool_use", session_id: "s", tool, tool_id: id, params }),
    result: (tool: string, result: unknown, id = "1") => {
      const success = !(typeof result === "object" && result !== null && "error" in result);
      const content = typeof result === "string" ? result : JSON.stringify(result);
      return view.result({ type: "tool_result", session_id: "s", tool, tool_id: id, content, success });
    },
    hook: (event: string, outcome: "pass" | "block" | "ask", duration_ms = 0, id = "1") =>
      view.hook({
        type: "hook",
        session_id: "s",
        event,
        source: "shell",
        name: "h",
        outcome,
        duration_ms,
        detail: null,
        tool_call_id: id,
      }),
  };
}

test("a call shows its name and the argument that matters", () => {
  const { use } = openView();
  const cases: readonly [tool: string, params: Readonly<Record<string, unknown>>, title: string][] = [
    ["terminal", { timeout: 5, command: "ls\n-l" }, "● terminal ls -l"],
    ["read_file", { path: "a.txt", offset: 3 }, "● read_file a.txt"],
    ["write_file", { content: "x", path: "b.txt" }, "● write_file b.txt"],
    ["search_files", { pattern: "x+", path: "src" }, "● search_files x+ in src"],
    ["delegate_task", { tasks: [{ goal: "one" }, { goal: "two" }] }, "● delegate_task one · two"],
    ["mcp_github_search", { limit: 3, query: "hooks" }, "● mcp_github_search hooks"],
    ["mcp_clock_now", {}, "● mcp_clock_now"],
    ["mcp_sum", { values: [1, 2] }, '● mcp_sum {"values":[1,2]}'],
    ["terminal", { command: `echo ${"long ".repeat(40)}` }, `● terminal echo ${"long ".repeat(8)}lo…`],
    ["terminal", { command: "echo \u001b[31mred\u202e" }, String.raw`● terminal echo \x1b[31mred\u{202e}`],
  ];
  for (const [tool, params, title] of cases) assert.deepEqual(text(use(tool, params)), [title]);
});

test("a result is a preview of three lines, the number of further ones, and its time", () => {
  const { use, result, pass } = openView();
  use("terminal", { command: "seq 5" });
  pass(2.5);
  assert.deepEqual(text(result("terminal", { output: "1\n2\n3\n4\n5\n", exit_code: 0 })), [
    "  1",
    "  2",
    "  3",
    "  … +2 lines (2.5s)",
  ]);
  use("terminal", { command: "true" });
  assert.deepEqual(text(result("terminal", { output: "", exit_code: 0 })), []);
  use("search_files", { pattern: "x" });
  const matches = [{ path: "a.ts", line: 3, text: "  x()" }];
  assert.deepEqual(text(result("search_files", { matches, truncated: false })), ["  a.ts:3: x()"]);
  use("terminal", { command: "ls --color" });
  assert.deepEqual(text(result("terminal", { output: "\u001b[34mdir\u001b[0m\tx\u0007", exit_code: 0 })), [
    "  dir    x",
  ]);
  use("read_file", { path: "a" });
  assert.deepEqual(text(result("read_file", "a hook's own words")), ["  a hook's own words"]);
});

test("in full, all arguments and all lines are shown", () => {
  const { use, result } = openView({ verbose: true });
  assert.deepEqual(text(use("terminal", { command: "a\nb", timeout: 5 })), [
    "● terminal a b",
    "  command: a",
    "    b",
    "  timeout: 5",
  ]);
  assert.equal(result("terminal", { output: "x\n".repeat(40), exit_code: 0 }).length, 40);
});

test("a failure is red, and says why before what was printed", () => {
  const { use, result } = openView();
  use("read_file", { path: "a" });
  const failed = result("read_file", { error: "a does not exist." });
  assert.deepEqual([text(failed), colors(failed)], [["  ✗ a does not exist."], ["red"]]);
  use("terminal", { command: "false" });
  const ended = result("terminal", { output: "no\n", exit_code: 3 });
  assert.deepEqual(text(ended), ["  no", "  exit code 3"]);
  assert.deepEqual(colors(ended), ["dim", "plain", "red"]);
});

test("the time of a call is the tool's, without its hooks", () => {
  const { use, result, pass, hook } = openView();
  use("terminal", { command: "x" });
  pass(30);
  hook("pre_tool_call", "pass", 30_000);
  pass(2);
  pass(10);
  hook("post_tool_call", "pass", 10_000);
  assert.deepEqual(text(result("terminal", { output: "", exit_code: 0 })), ["  (2s)"]);
});

test("the wait for the answer to a question is not the tool's time", () => {
  const { view, use, result, pass, hook } = openView();
  const done = { output: "", exit_code: 0 };
  for (const [ended, shown] of [
    [2000, ["  (2s)"]],
    [20, []],
    [undefined, []],
  ] as const) {
    use("terminal", { command: "x" });
    hook("pre_tool_call", "ask", 1);
    pass(60);
    if (ended !== undefined) view.ended("1", ended);
    pass(5);
    assert.deepEqual(text(result("terminal", done)), shown, String(ended));
  }
});

test("a renderer of text hands what a turn does to the display", () => {
  const taken: TurnProgress[] = [];
  const display = { show: () => undefined, showRun: () => undefined, end: () => undefined };
  const nothing = () => undefined;
  const context = { out: nothing, note: nothing, faint: nothing, write: nothing, faintPart: nothing, json: nothing };
  const renderer = createRenderer({
    format: "text",
    quiet: false,
    streaming: () => true,
    reasoning: { on: true },
    display: { ...display, progress: (progress) => taken.push(progress) },
    context,
  });
  const progress = { kind: "tool_ended", tool_id: "1", duration_ms: 5 } as const;
  renderer.progress?.(progress);
  assert.deepEqual(taken, [progress]);
});

test("a result that comes after another call is shown below its own title", () => {
  const { use, result, view } = openView();
  use("terminal", { command: "one" }, "1");
  use("terminal", { command: "two" }, "2");
  assert.deepEqual(text(view.titleOf("1")), ["● terminal one"]);
  assert.deepEqual(text(result("terminal", { output: "x", exit_code: 0 }, "2")), ["● terminal two", "  x"]);
  assert.deepEqual(text(result("terminal", { output: "y", exit_code: 0 }, "1")), ["● terminal one", "  y"]);
});

test("a call that a hook blocked is not reported again by its result", () => {
  const { use, result, hook } = openView();
  use("terminal", { command: "rm -rf /" });
  hook("pre_tool_call", "block");
  assert.deepEqual(text(result("terminal", { error: "not here" })), []);
});

test("what a call changed is a diff of the file, with line numbers", (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "a.txt");
  const { use, result } = openView({ hasFiles: true });
  const lines = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`);
  use("write_file", { path, content: "…" });
  writeFileSync(path, `${lines.slice(0, 3).join("\n")}\n`);
  const created = result("write_file", { path, bytes: 1, created: true });
  assert.deepEqual(text(created), ["  new file +3", "  1 + line 1", "  2 + line 2", "  3 + line 3"]);
  assert.deepEqual(colors(created).slice(0, 4), ["plain", "dim", "plain", "green"]);
  writeFileSync(path, `${lines.join("\n")}\n`);
  use("patch", { path, old_string: "line 5", new_string: "fifth" });
  writeFileSync(path, `${lines.with(4, "fifth").join("\n")}\n`);
  assert.deepEqual(text(result("patch", { path, replacements: 1 })), [
    "  +1 −1",
    "   3   line 3",
    "   4   line 4",
    "   5 − line 5",
    "   5 + fifth",
    "   6   line 6",
    "   7   line 7",
  ]);
});

test("a diff that cannot be told from the file is not made up", (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "a.txt");
  const { use, result } = openView({ hasFiles: true, width: 200 });
  use("write_file", { path, content: "asked" });
  writeFileSync(path, "asked\n");
  // A hook chose another file.
  const other = { path: join(folder, "b.txt"), bytes: 5 };
  assert.deepEqual(text(result("write_file", other)), [`  ${JSON.stringify(other)}`]);
  use("write_file", { path, content: "secret" });
  writeFileSync(path, "secret\n");
  // A hook replaced the result, perhaps to hide the change.
  assert.deepEqual(text(result("write_file", "done")), ["  done"]);
});

test("without the file, the diff of a patch is that of its arguments", () => {
  const { use, result } = openView();
  use("patch", { path: "a", old_string: "x\ny", new_string: "x\nz" });
  assert.deepEqual(text(result("patch", { path: "/a", replacements: 1 })), [
    "  +1 −1",
    "  1   x",
    "  2 − y",
    "  2 + z",
  ]);
});

const run = (event: string, outcome: ShownRun["outcome"], detail: string | null = null): ShownRun => ({
  event,
  name: "~/.hermes/agent-hooks/guard.sh --strict",
  outcome,
  detail,
  tool_call_id: event.includes("tool") ? "1" : null,
});

test("a block says who and why once, in red; what changed something is faint", () => {
  const notes = new HookNotes();
  const name = "~/.hermes/agent-hooks/guard.sh --strict";
  const sentence = `shell hook "${name}" failed at pre_tool_call: exit code 3`;
  const cases: readonly [run: ShownRun, line: string, style: string][] = [
    [run("pre_tool_call", "block", "no rm"), "  ✗ blocked by guard.sh: no rm", "red"],
    [run("pre_tool_call", "block"), "  ✗ blocked by guard.sh", "red"],
    [
      { ...run("pre_tool_call", "block", sentence), cause: "error" },
      "  ✗ blocked, because the guard guard.sh failed at pre_tool_call: exit code 3",
      "red",
    ],
    [run("command:model", "block", "no"), "✗ /model is blocked by guard.sh: no", "red"],
    [run("pre_tool_call", "modify"), "  ~ guard.sh changed the arguments", "dim"],
    [run("pre_gateway_dispatch", "rewrite"), "~ guard.sh rewrote a message", "dim"],
    [run("transform_tool_result", "transform"), "  ~ guard.sh replaced the tool result", "dim"],
    [run("pre_llm_call", "context"), "+ guard.sh added context", "dim"],
    [run("pre_llm_call", "pass", "a tip\u001b[2J"), String.raw`· guard.sh: a tip\x1b[2J`, "dim"],
  ];
  for (const [shown, line, style] of cases) {
    const lines = notes.lines(shown, 200);
    assert.deepEqual([text(lines), colors(lines)], [[line], [style]]);
  }
  assert.deepEqual(notes.lines(run("pre_tool_call", "pass"), 80), []);
});

test("long reasons are wrapped at words", () => {
  const lines = new HookNotes().lines(run("pre_tool_call", "block", "no force pushes to main"), 30);
  assert.deepEqual(text(lines), ["  ✗ blocked by guard.sh: no", "    force pushes to main"]);
});

test("a hook that keeps failing is shown once in a session, and counted", () => {
  const notes = new HookNotes();
  assert.deepEqual(notes.session("a"), []);
  const failure = run("post_tool_call", "error", 'shell hook "other" failed');
  const first = notes.lines(failure, 80);
  assert.deepEqual([text(first), colors(first)], [['  ! guard.sh shell hook "other" failed'], ["yellow"]]);
  for (let times = 0; times < 3; times++) assert.deepEqual(notes.lines(failure, 80), []);
  assert.deepEqual(notes.session("a"), []);
  assert.deepEqual(text(notes.session("b")), [
    '! guard.sh failed 4 times in this session; "hermes hooks log" shows each.',
  ]);
  assert.equal(notes.lines(failure, 80).length, 1);
  assert.deepEqual(notes.end(), []);
});

test("a hook is called by the script that it runs", () => {
  const names: readonly [name: string, short: string][] = [
    ["/home/me/hooks/guard.sh", "guard.sh"],
    ["bash '/home/me/guard.sh' --strict", "guard.sh"],
    ["/usr/bin/env python3 guard.py", "guard.py"],
    ["sh -c 'echo hi'", "sh -c 'echo hi'"],
    ["rules", "rules"],
    ["my own rules", "my own rules"],
    ["jq .", "jq ."],
    ["\u202eevil", String.raw`\u{202e}evil`],
  ];
  for (const [name, short] of names) assert.equal(shortHookName(name), short);
});
