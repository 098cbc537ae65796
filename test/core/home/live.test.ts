import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { openLive, readLive, type LiveOptions, type LiveSnapshot } from "#core/home/live";
import type { Hook, HookRun } from "#core/ports/hook";
import { createRedactor } from "#core/home/redact";
import { answering } from "../../helpers/hooks.ts";
import { until } from "../../helpers/poll.ts";

const GUARD = answering("pre_tool_call", null, {
  source: "shell",
  name: "g",
  command: "g.sh --token abc",
  matcher: "terminal",
});
const RUN = { at: Date.UTC(2026, 0, 2), outcome: "block", cause: "timeout", duration_ms: 3, detail: null } as HookRun;
const FILE = `${process.pid}.json`;

function runFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "hermes-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "run");
}

function open(t: TestContext, folder: string, options: Partial<LiveOptions> = {}): LiveSnapshot {
  const live = openLive({
    folder,
    argv: ["hermes", "chat", "-q", "hello there", "--api-key", "hunter22"],
    hooks: () => [GUARD],
    redact: createRedactor({}),
    onError: (error) => assert.fail(String(error)),
    ...options,
  });
  t.after(live.close);
  return live;
}

test("a snapshot tells the process, its hooks and how the last run ended; private, and gone at the end", async (t) => {
  const folder = runFolder(t);
  const live = open(t, folder);
  assert.deepEqual(readLive(folder), [], "nothing is written before something is there to tell");
  live.changed();
  await until(() => readLive(folder).length === 1, "a snapshot is written");
  const [found] = readLive(folder);
  assert.equal(found?.pid, process.pid);
  assert.equal(found?.command, "hermes chat -q 'hello there' --api-key [redacted]");
  assert.match(found?.started_at ?? "", /^\d{4}-.*Z$/);
  const never = { last_fired_at: null, last_outcome: null, last_cause: null, last_duration_ms: null };
  const guard = {
    event: "pre_tool_call",
    source: "shell",
    name: "g",
    command: "g.sh --token [redacted]",
    matcher: "terminal",
  };
  assert.deepEqual(found?.hooks, [{ ...guard, ...never }]);
  assert.equal(statSync(join(folder, FILE)).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);

  live.sink(RUN, GUARD);
  await until(() => readLive(folder)[0]?.hooks[0]?.last_outcome !== null, "the run is in it");
  assert.deepEqual(readLive(folder)[0]?.hooks, [
    {
      ...guard,
      last_fired_at: "2026-01-02T00:00:00.000Z",
      last_outcome: "block",
      last_cause: "timeout",
      last_duration_ms: 3,
    },
  ]);
  live.close();
  live.sink(RUN, GUARD);
  assert.deepEqual(readdirSync(folder), []);
});

test("two hooks that look alike are distinguished", async (t) => {
  const folder = runFolder(t);
  const twin: Hook = { ...GUARD };
  const live = open(t, folder, { hooks: () => [GUARD, twin] });
  live.sink(RUN, twin);
  await until(() => readLive(folder).length === 1, "a snapshot is written");
  assert.deepEqual(
    readLive(folder)[0]?.hooks.map(({ last_outcome }) => last_outcome),
    [null, "block"],
  );
});

test("many runs are few writes", async (t) => {
  const folder = runFolder(t);
  let made = 0;
  const live = open(t, folder, {
    hooks: () => {
      made++;
      return [GUARD];
    },
  });
  for (let round = 0; round < 1000; round++) live.sink(RUN, GUARD);
  await until(() => made > 0, "the first write");
  for (let round = 0; round < 1000; round++) live.sink(RUN, GUARD);
  await until(() => made > 1, "the second write");
  assert.equal(made, 2);
});

test("a folder that cannot be written is reported once, without retries", async (t) => {
  const folder = runFolder(t);
  writeFileSync(folder, "a file where the folder should be");
  const errors: unknown[] = [];
  const live = open(t, folder, { onError: (error) => errors.push(error) });
  live.changed();
  await until(() => errors.length > 0, "the failure is reported");
  let written = 0;
  const peer = open(t, runFolder(t), { hooks: () => [GUARD].slice(0, ++written) });
  peer.changed();
  await until(() => written === 1, "another snapshot is written");
  for (const each of [live, peer]) each.sink(RUN, GUARD);
  await until(() => written === 2, "the other one is written again");
  assert.equal(errors.length, 1);
});

test("snapshots of processes that are gone, or whose pid is another's now, are cleaned up; others' files stay", async (t) => {
  const folder = runFolder(t);
  const live = open(t, folder);
  live.changed();
  await until(() => readLive(folder).length === 1, "a snapshot is written");
  const mine = JSON.parse(readFileSync(join(folder, FILE), "utf8")) as { process_start: string | null };
  const write = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));
  write("4194304.json", { ...mine, pid: 4194304 });
  if (mine.process_start !== null) write(`${process.ppid}.json`, { ...mine, pid: process.ppid, process_start: "1" });
  write("gateway.pid", {});
  write("gateway.json", {});
  writeFileSync(join(folder, "1.json"), "half a li");
  mkdirSync(join(folder, "2.json"));
  symlinkSync(join(folder, FILE), join(folder, "3.json"));
  assert.deepEqual(
    readLive(folder).map(({ pid }) => pid),
    [process.pid],
  );
  const left = readdirSync(folder);
  assert.ok(!left.includes("4194304.json"));
  if (mine.process_start !== null) assert.ok(!left.includes(`${process.ppid}.json`));
  for (const name of ["gateway.pid", "gateway.json", FILE]) assert.ok(left.includes(name), name);
});
