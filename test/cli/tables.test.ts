/** Lists for people: ages, widths, and lines that fit a terminal. */
import assert from "node:assert/strict";
import test from "node:test";
import { age, elapsed } from "#core/age";
import { columns } from "#cli/columns";
import { listLines, type Column } from "#cli/list";
import { styleOfState } from "#cli/state-style";
import { TASK_COLUMNS, taskRow } from "#cli/tasks/table";
import { fitLine, textWidth, wrapWords } from "#cli/text-width";
import { plainText } from "#core/styled-text";
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
  const table = (width?: number) => listLines(TASK_COLUMNS, tasks.map(taskRow), { width, now: NOW }).map(plainText);
  for (const width of [80, 120]) {
    const lines = table(width);
    assert.equal(lines[0], "TASK              CREATED  STATUS              TIME    PROMPT");
    assert.equal(lines[1], "aaaaaaaaaaaaaaaa  5m ago   queued (2nd)                tidy up");
    assert.match(lines[2]!, /^a+ +5m ago +running, attempt 2 +1m 01s +词+…$/);
    assert.match(lines[3]!, /queued \(12th\)/);
    assert.match(lines[4]!, /queued \(23rd\)/);
    const widest = Math.max(...lines.map(textWidth));
    assert.ok(widest <= width && widest >= width - 1, `${widest} of ${width}`);
  }
  const piped = table();
  assert.match(piped[2]!, /^a+ +2026-01-09T23:55:00\.000Z +running, attempt 2 +1m 01s +词{90}$/);
});

const COLUMNS: readonly Column[] = [
  { head: "NAME" },
  { head: "SCRIPT", kind: "text" },
  { head: "PID", isOptional: true },
  { head: "STATE", kind: "state" },
  { head: "EMPTY" },
  { head: "SINCE", kind: "time", isOptional: true },
];
const ROWS = [
  ["one", "~/.hermes/agent-hooks/guard.sh --strict", "12", "allowed, script modified", "", "2026-01-09T21:00:00.000Z"],
  ["second", "x", "3", "broken", "", "2026-01-10T00:10:00.000Z"],
];
const listed = (width?: number) => listLines(COLUMNS, ROWS, { width, now: NOW }).map(plainText);

test("a list in a pipe is complete, with exact times", () => {
  assert.deepEqual(listed(), [
    "NAME    SCRIPT                                   PID  STATE                     SINCE",
    "one     ~/.hermes/agent-hooks/guard.sh --strict  12   allowed, script modified  2026-01-09T21:00:00.000Z",
    "second  x                                        3    broken                    2026-01-10T00:10:00.000Z",
  ]);
});

test("on a terminal times are relative, columns are left out, then wrapped, and at last rows are stacked", () => {
  assert.deepEqual(listed(100).slice(1), [
    "one     ~/.hermes/agent-hooks/guard.sh --strict  12   allowed, script modified  3h ago",
    "second  x                                        3    broken                    in 10m",
  ]);
  assert.deepEqual(listed(50), [
    "NAME    SCRIPT                  STATE",
    "one     ~/.hermes/agent-hooks/  allowed, script",
    "        guard.sh --strict       modified",
    "second  x                       broken",
  ]);
  assert.deepEqual(listed(28), [
    "one",
    "  script  ~/.hermes/",
    "          agent-hooks/",
    "          guard.sh --strict",
    "  pid     12",
    "  state   allowed, script",
    "          modified",
    "  since   3h ago",
    "second",
    "  script  x",
    "  pid     3",
    "  state   broken",
    "  since   in 10m",
  ]);
});

test("no line of a list is wider than the terminal", () => {
  for (let width = 24; width < 120; width++) {
    const widest = Math.max(...listed(width).map(textWidth));
    assert.ok(widest <= width, `${widest} of ${width}`);
  }
});

test("states have the colour of what they say", () => {
  const styles: readonly [state: string, style: string | undefined][] = [
    ["allowed", "green"],
    ["allowed, script modified", "yellow"],
    ["not allowed", "yellow"],
    ["running, attempt 2", "green"],
    ["queued (2nd)", "yellow"],
    ["block (timeout), 3h ago", "red"],
    ["never", "dim"],
    ["something else", undefined],
  ];
  for (const [state, style] of styles) assert.equal(styleOfState(state), style, state);
  const [, first] = listLines(COLUMNS, ROWS, { now: NOW });
  assert.equal(first?.find(({ text }) => text.startsWith("allowed"))?.style, "yellow");
});

test("words are wrapped with their indentation, long ones at a slash", () => {
  const cases: readonly [text: string, columns: number, lines: readonly string[]][] = [
    ["one two three", 7, ["one two", "three"]],
    ["  one two", 6, ["  one", "  two"]],
    ["/home/me/hooks/guard.sh", 16, ["/home/me/hooks/", "guard.sh"]],
    ["abcdefgh", 3, ["abc", "def", "gh"]],
    ["日本語テスト", 5, ["日本", "語テ", "スト"]],
    ["", 5, [""]],
    ["日", 1, ["日"]],
  ];
  for (const [text, width, lines] of cases) assert.deepEqual(wrapWords(text, width), lines);
});
