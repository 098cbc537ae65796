/** Lists for people: ages, widths, and lines that fit a terminal. */
import assert from "node:assert/strict";
import test from "node:test";
import { age, elapsed } from "#core/age";
import { columns } from "#cli/columns";
import { taskTable } from "#cli/tasks/table";
import { fitLine, textWidth } from "#cli/text-width";
import type { Task } from "#core/ports/tasks";

const NOW = Date.UTC(2026, 0, 10);
const TASK: Task = {
  id: "a".repeat(16),
  status: "queued",
  prompt: "tidy up",
  created_at: new Date(NOW - 5 * 60_000).toISOString(),
  started_at: null,
  ended_at: null,
  duration_seconds: null,
  attempt: 1,
  position: 2,
  session_id: null,
  platform: "task",
  cwd: "/",
  tokens_used: null,
  tools_called: null,
  exit_code: null,
  ended_by: null,
  error: null,
  pid: null,
};

test("a line fits its columns, whatever it is made of", () => {
  const cases: readonly [text: string, columns: number, line: string][] = [
    ["hello", 5, "hello"],
    ["hello!", 5, "hell…"],
    [" two \n\n\t words ", 20, "two words"],
    ["日本語テスト", 7, "日本語…"],
    ["👨‍👩‍👧 family", 9, "👨‍👩‍👧 family"],
    ["👍🏽👍🏽👍🏽", 5, "👍🏽👍🏽…"],
    ["a\u001b[31mred\u202e", 40, String.raw`a\x1b[31mred\u{202e}`],
    ["é".repeat(1_000_000), 5, "éééé…"],
    [`${"x".repeat(5)}${" ".repeat(1000)}y`, 12, "xxxxx…"],
    ["", 5, ""],
  ];
  for (const [text, width, line] of cases) {
    assert.equal(fitLine(text, width), line);
    assert.ok(textWidth(line) <= width);
  }
});

test("columns are padded by what a terminal shows", () => {
  assert.deepEqual(
    columns([
      ["日本", "x"],
      ["abc", "y"],
      ["👍🏽", "z"],
    ]),
    ["日本  x", "abc   y", "👍🏽    z"],
  );
});

test("ages and lengths of time have one unit or two", () => {
  const ages = [-5000, 1000, 40_000, 300_000, 3 * 3_600_000, 12 * 86_400_000];
  assert.deepEqual(
    ages.map((ms) => age(new Date(NOW - ms).toISOString(), NOW)),
    ["now", "now", "40s", "5m", "3h", "12d"],
  );
  assert.deepEqual([0.4, 12.9, 59.96, 184, 7500].map(elapsed), ["0.4s", "12s", "59s", "3m 04s", "2h 05m"]);
});

test("the list of tasks fits 80 and 120 columns and is whole in a pipe", () => {
  const long = {
    ...TASK,
    status: "running",
    position: null,
    attempt: 2,
    duration_seconds: 61,
    prompt: "词".repeat(90),
  };
  const tasks = [TASK, long as Task, { ...TASK, position: 12 }, { ...TASK, position: 23 }];
  for (const width of [80, 120]) {
    const lines = taskTable(tasks, { now: NOW, width });
    assert.equal(lines[0], "TASK              AGE  STATUS              TIME    PROMPT");
    assert.equal(lines[1], "aaaaaaaaaaaaaaaa  5m   queued (2nd)                tidy up");
    assert.match(lines[2]!, /^a+ +5m +running, attempt 2 +1m 01s +词+…$/);
    assert.match(lines[3]!, /queued \(12th\)/);
    assert.match(lines[4]!, /queued \(23rd\)/);
    const widest = Math.max(...lines.map(textWidth));
    assert.ok(widest <= width && widest >= width - 1, `${widest} of ${width}`);
  }
});
