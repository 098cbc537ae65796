import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { readOutput, readOutputEnd, TaskOutput } from "#daemon/tasks/output";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const numbers = (lines: readonly string[]) => lines.map((line) => (JSON.parse(line) as { n?: number }).n);

test("a small output is kept as it is, in a private file", (t) => {
  const folder = join(temporaryFolder(t), "tasks");
  const output = new TaskOutput(folder, "a");
  output.add({ n: 1 });
  assert.deepEqual(numbers(readOutput(folder, "a")), [1], "it can be read while it is written");
  output.add({ n: 2 });
  output.close();
  assert.deepEqual(numbers(readOutput(folder, "a")), [1, 2]);
  assert.equal(statSync(join(folder, "a.jsonl")).mode & 0o777, 0o600);
  assert.deepEqual(readOutput(folder, "missing"), []);
});

test("of a large one the beginning and the end are kept, with what was left out said between", (t) => {
  const folder = temporaryFolder(t);
  const limits = { beginning: 1000, end: 500 };
  const output = new TaskOutput(folder, "a", limits);
  for (let n = 0; n < 1000; n++) output.add({ n, text: "x".repeat(20) });
  const during = numbers(readOutput(folder, "a"));
  assert.deepEqual([during[0], during.at(-1)], [0, 999]);
  output.close();
  const lines = readOutput(folder, "a");
  assert.ok(lines.join("\n").length < 2200);
  const at = lines.findIndex((line) => line.includes('"truncated"'));
  const { bytes } = JSON.parse(lines[at]!) as { bytes: number };
  const kept = numbers([...lines.slice(0, at), ...lines.slice(at + 1)]) as number[];
  assert.deepEqual([kept[0], kept.at(-1)], [0, 999]);
  assert.ok(kept.every((n, index) => index === 0 || n > kept[index - 1]!));
  const written = Array.from({ length: 1000 }, (_, n) => JSON.stringify({ n, text: "x".repeat(20) }).length + 1);
  const total = written.reduce((sum, length) => sum + length);
  const rest = lines.filter((_, index) => index !== at).reduce((sum, line) => sum + line.length + 1, 0);
  assert.equal(bytes + rest, total);
  assert.deepEqual(readdirSync(folder), ["a.jsonl"]);
});

test("the end of an output is read without the rest, from all its files, in whole lines", (t) => {
  const folder = temporaryFolder(t);
  assert.deepEqual(readOutputEnd(folder, "a", 100), []);
  const output = new TaskOutput(folder, "a", { beginning: 100, end: 100 });
  const text = "é".repeat(10);
  for (let n = 10; n < 30; n++) {
    output.add({ n, text });
    const all = readOutput(folder, "a");
    for (const most of [1, 40, 77, 120, 100_000]) {
      const end = readOutputEnd(folder, "a", most);
      assert.ok(Buffer.byteLength(end.join("\n")) <= most);
      assert.deepEqual(end, end.length === 0 ? [] : all.slice(-end.length));
    }
    assert.deepEqual(readOutputEnd(folder, "a", 100_000), all);
    assert.equal(numbers(readOutputEnd(folder, "a", 120)).at(-1), n);
  }
});

test("a further attempt starts afresh", (t) => {
  const folder = temporaryFolder(t);
  for (const n of [1, 2]) {
    const output = new TaskOutput(folder, "a");
    output.add({ n });
    output.close();
  }
  assert.deepEqual(numbers(readOutput(folder, "a")), [2]);
});
