import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { openJsonLines } from "#core/home/jsonl";
import { followRuns, parseRun, readRuns } from "#core/home/run-log";
import { fileSink, type LoggedRun } from "#core/runs";
import type { HookRun } from "#core/ports/hook";
import { createRedactor } from "#core/home/redact";
import { answering } from "../../helpers/hooks.ts";
import { until } from "../../helpers/poll.ts";

function logFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "hermes-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "hooks.jsonl");
}

const RUN: HookRun = {
  at: Date.UTC(2026, 0, 2),
  event: "pre_tool_call",
  source: "shell",
  name: "guard",
  command: "guard.sh",
  outcome: "block",
  cause: "timeout",
  duration_ms: 1.5,
  exit_code: null,
  session_id: "sess_1",
  tool_name: "terminal",
  tool_call_id: "call_1",
  detail: "no --token hunter22",
};
const record = (name: string): string =>
  JSON.stringify({ time: "2026-01-02T00:00:00.000Z", event: "pre_tool_call", source: "shell", name, outcome: "pass" });
const lines = (...names: string[]): string => names.map((name) => `${record(name)}\n`).join("");
const names = (runs: readonly LoggedRun[]): string[] => runs.map(({ name }) => name);

/** Takes runs from a follower until `found` has `count`, and gives that; fails instead of hanging. */
async function take(runs: AsyncGenerator<LoggedRun>, count: number, found: string[] = []): Promise<string[]> {
  while (found.length < count) {
    const deadline = new Promise<never>((_, reject) => {
      setTimeout(reject, 10_000, new Error(`only saw ${found.join(", ")}`)).unref();
    });
    const { value, done } = await Promise.race([runs.next(), deadline]);
    if (done) break;
    found.push(value.name);
  }
  return found;
}

function follow(t: TestContext, path: string, limit = 50): AsyncGenerator<LoggedRun> {
  const stopped = new AbortController();
  t.after(() => stopped.abort());
  return followRuns(path, limit, stopped.signal);
}

test("a run is written with exactly the wire's keys, secrets taken out before JSON hides them", (t) => {
  const path = logFile(t);
  const file = openJsonLines({ path });
  const write = fileSink({ append: file.append, redact: createRedactor({ MY_TOKEN: 'quo"ted-secret' }) });
  const command = `env API_KEY=abcdef guard.sh --token hunter22 'quo"ted-secret' https://me:pw@host/`;
  write({ ...RUN, command }, answering("pre_tool_call", null));
  file.flush();
  assert.deepEqual(readRuns(path, 10), [
    {
      time: "2026-01-02T00:00:00.000Z",
      event: "pre_tool_call",
      source: "shell",
      name: "guard",
      command: "env API_KEY=[redacted] guard.sh --token [redacted] '[redacted]' https://me:[redacted]@host/",
      outcome: "block",
      cause: "timeout",
      detail: "no --token [redacted]",
      duration_ms: 1.5,
      exit_code: null,
      session_id: "sess_1",
      tool_name: "terminal",
      tool_call_id: "call_1",
    },
  ]);
  write({ ...RUN, tool_name: null, tool_call_id: null, detail: "x".repeat(10_000) }, answering("pre_tool_call", null));
  file.flush();
  const last = readRuns(path, 1)[0];
  assert.deepEqual([last?.tool_name, last?.tool_call_id, last?.detail?.length], [null, null, 400]);
});

test("the last runs come from the rotated files too, newest last", (t) => {
  const path = logFile(t);
  assert.deepEqual(readRuns(path, 10), []);
  writeFileSync(`${path}.2`, lines("a", "b"));
  writeFileSync(`${path}.1`, lines("c"));
  writeFileSync(path, lines("d", "e"));
  assert.deepEqual(names(readRuns(path, 50)), ["a", "b", "c", "d", "e"]);
  assert.deepEqual(names(readRuns(path, 4)), ["b", "c", "d", "e"]);
  assert.deepEqual(names(readRuns(path, 0)), []);
});

test("garbage, half lines and lines longer than the reader's steps do no harm", (t) => {
  const path = logFile(t);
  const long = "x".repeat(700_000);
  const text = `${"\0".repeat(300_000)}\n{"a":1}\nnull\n[]\n${lines("a", `é${long}`)}{"time":"x"\n${lines("b")}${record("c").slice(0, -9)}`;
  writeFileSync(path, text);
  assert.deepEqual(names(readRuns(path, 10)), ["a", `é${long}`, "b"]);
  writeFileSync(path, `${"x".repeat(3_000_000)}\n${lines("a")}`);
  assert.deepEqual(names(readRuns(path, 10)), ["a"]);
});

test("a line after half a line is not lost: the writer ends the half one", (t) => {
  const path = logFile(t);
  writeFileSync(path, `${lines("a")}{"time":"2026`);
  const file = openJsonLines({ path });
  file.append(record("b"));
  file.flush();
  assert.deepEqual(names(readRuns(path, 10)), ["a", "b"]);
});

test("fields of another version are converted; a line without a name is skipped", () => {
  const odd = parseRun(`{"time":"t","event":"e","source":"s","name":"n","outcome":"o","cause":7,"duration_ms":"x"}`);
  assert.deepEqual([odd?.cause, odd?.duration_ms, odd?.exit_code, odd?.session_id], [null, 0, null, ""]);
  assert.deepEqual([odd?.detail, odd?.tool_name, odd?.tool_call_id], [null, null, null]);
  assert.equal(parseRun(`{"time":"t","event":"e","source":"s","outcome":"o"}`), undefined);
});

test("following: first the last runs, then each new one, across rotations", async (t) => {
  const path = logFile(t);
  writeFileSync(`${path}.1`, lines("a"));
  writeFileSync(path, lines("b", "c"));
  const runs = follow(t, path, 2);
  assert.deepEqual(await take(runs, 2), ["b", "c"]);
  appendFileSync(path, lines("d"));
  assert.deepEqual(await take(runs, 1), ["d"]);
  const next = take(runs, 4);
  appendFileSync(path, lines("e"));
  // Two rotations between two looks of the follower.
  renameSync(path, `${path}.1`);
  writeFileSync(path, lines("f"));
  renameSync(`${path}.1`, `${path}.2`);
  renameSync(path, `${path}.1`);
  writeFileSync(path, lines("g"));
  appendFileSync(path, lines("h"));
  assert.deepEqual(await next, ["e", "f", "g", "h"]);
});

test("following: an incomplete line waits for its rest; a truncated, removed or missing log is followed", async (t) => {
  const path = logFile(t);
  const runs = follow(t, path);
  const other = logFile(t);
  const others = follow(t, other);
  const first = take(runs, 1);
  writeFileSync(path, record("é"));
  appendFileSync(path, "\n");
  assert.deepEqual(await first, ["é"]);
  const second = take(runs, 1);
  const bytes = Buffer.from(lines("ü"));
  const middle = bytes.indexOf(Buffer.from("ü")) + 1;
  appendFileSync(path, bytes.subarray(0, middle));
  // Another follower looks twice: this one has seen the half line by then.
  for (const name of ["once", "twice"]) {
    appendFileSync(other, lines(name));
    assert.deepEqual(await take(others, 1), [name]);
  }
  appendFileSync(path, bytes.subarray(middle));
  assert.deepEqual(await second, ["ü"]);
  truncateSync(path);
  const third = take(runs, 1);
  appendFileSync(path, lines("x"));
  assert.deepEqual(await third, ["x"]);
  const fourth = take(runs, 1);
  rmSync(path);
  appendFileSync(path, lines("y"));
  assert.deepEqual(await fourth, ["y"]);
});

test("following: a writer that rotates loses nothing and nothing comes twice", async (t) => {
  const path = logFile(t);
  const runs = follow(t, path);
  const wanted = Array.from({ length: 200 }, (_, index) => `run ${index}`);
  const seen: string[] = [];
  const all = take(runs, wanted.length, seen);
  const file = openJsonLines({ path, maxBytes: 2000 });
  for (const [index, name] of wanted.entries()) {
    file.append(record(name));
    file.flush();
    // A file holds a dozen lines: the follower may be as far behind as that, and further it may lose some.
    await until(() => seen.length > index - 20, "the follower comes along");
  }
  assert.deepEqual(await all, wanted);
});

test("following ends when its signal aborts", async (t) => {
  const stopped = new AbortController();
  const runs = followRuns(logFile(t), 50, stopped.signal);
  const next = runs.next();
  stopped.abort();
  assert.equal((await next).done, true);
});
