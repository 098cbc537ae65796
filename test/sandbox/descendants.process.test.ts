/** Processes that left their group: found by the run's marker, killed and reported when we end the run. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import { killMarked, markEnvironment, newRunId, RUN_MARKER } from "#sandbox/process/descendants";
import { runProcess, type ProcessOptions, type ProcessResult } from "#sandbox/process/run";
import { inGoodTime } from "../helpers/good-time.ts";
import { killQuietly, lives, pidIn } from "../helpers/processes.ts";
import { until } from "../helpers/poll.ts";

const scripts = resolve(import.meta.dirname, "../fixtures/scripts");
const skip = process.platform === "linux" ? false : "only Linux shows the markers of others";

const run = (words: readonly string[], options: Partial<ProcessOptions> = {}): Promise<ProcessResult> =>
  runProcess({
    argv: [join(scripts, words[0] ?? ""), ...words.slice(1)],
    cwd: scripts,
    env: { PATH: process.env["PATH"] },
    timeoutMs: 20_000,
    maxOutputBytes: 1024 * 1024,
    overflow: "kill",
    ...options,
  });

/** A file for a pid; whoever it names is gone after the test. */
function pidFile(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "hermes-descendants-"));
  const file = join(folder, "pid");
  context.after(async () => {
    killQuietly(await pidIn(file));
    rmSync(folder, { recursive: true, force: true });
  });
  return file;
}

for (const name of ["leaves-its-group.sh", "forks-twice.sh", "daemon-ignores-sigterm.sh"]) {
  test(`${name}: a time-out finds it, kills it and names it`, { skip }, async (context) => {
    const file = pidFile(context);
    const result = await inGoodTime(async (factor) => {
      const ended = await run([name, file], { timeoutMs: factor * 700, killGraceMs: 100 });
      return existsSync(file) ? ended : undefined;
    });
    const pid = await pidIn(file);
    assert.equal(result.ended, "timeout");
    await until(() => !lives(pid), "the process that left its group ends");
    assert.ok(
      result.escaped.some((escaped) => escaped.pid === pid),
      JSON.stringify(result.escaped),
    );
  });
}

test("an interrupt and an overflow kill it as well", { skip }, async (context) => {
  const file = pidFile(context);
  const controller = new AbortController();
  const running = run(["leaves-its-group.sh", file], { signal: controller.signal });
  const pid = await pidIn(file);
  controller.abort();
  const result = await running;
  assert.equal(result.ended, "interrupted");
  assert.deepEqual(
    result.escaped.map((escaped) => escaped.pid),
    [pid],
  );
  await until(() => !lives(pid), "the process that left its group ends");

  const other = pidFile(context);
  const line = `setsid sh -c 'echo $$ >"$1"; exec sleep 1000' sh "$1" & while [ ! -s "$1" ]; do sleep 0.01; done; exec yes`;
  const flood = await runProcess({
    argv: ["sh", "-c", line, "sh", other],
    cwd: scripts,
    env: { PATH: process.env["PATH"] },
    timeoutMs: 20_000,
    maxOutputBytes: 1000,
    overflow: "kill",
  });
  assert.equal(flood.ended, "overflow");
  const escaped = await pidIn(other);
  assert.ok(flood.escaped.some(({ pid: found }) => found === escaped));
  await until(() => !lives(escaped), "the process that left its group ends");
});

test("the daemon of a hook that ended in time lives on", { skip }, async (context) => {
  const file = pidFile(context);
  const result = await run(["forks-twice.sh", file, "and-ends"]);
  const pid = await pidIn(file);
  assert.deepEqual([result.ended, result.exit_code, result.escaped], ["exited", 0, []]);
  // The end of another run is none of its business.
  const other = await run(["forever.sh"], { timeoutMs: 100 });
  assert.deepEqual([other.ended, other.escaped], ["timeout", []]);
  assert.equal(lives(pid), true);
});

test("who does not carry the run's own marker is a stranger", { skip }, async (context) => {
  const start = (env: NodeJS.ProcessEnv) => {
    const child = spawn("sleep", ["1000"], { env: { PATH: process.env["PATH"], ...env }, stdio: "ignore" });
    context.after(() => child.kill("SIGKILL"));
    return child.pid ?? 0;
  };
  const id = newRunId();
  const strangers = [
    start({}),
    start({ [RUN_MARKER]: newRunId() }),
    start({ [`X${RUN_MARKER}`]: id }),
    start({ OTHER: `${RUN_MARKER}=${id}` }),
    start({ [RUN_MARKER]: `${id}0` }),
  ];
  const ours = start(markEnvironment({}, id));
  const inner = start(markEnvironment(markEnvironment({}, id), newRunId()));
  await until(() => killMarked(new Set([id])).length === 0 && !lives(ours) && !lives(inner), "ours are gone");
  assert.deepEqual(strangers.map(lives), [true, true, true, true, true]);
});

test("markers of runs around this one are kept, nonsense is not", () => {
  const [outer, inner] = [newRunId(), newRunId()];
  assert.match(outer, /^[0-9a-f]{32}$/);
  const nested = markEnvironment(markEnvironment({ A: "1" }, outer), inner);
  assert.deepEqual(nested, { A: "1", [RUN_MARKER]: `${outer},${inner}` });
  assert.equal(markEnvironment({ [RUN_MARKER]: "not hex" }, inner)[RUN_MARKER], inner);
  let deep: NodeJS.ProcessEnv = {};
  for (let depth = 0; depth < 30; depth++) deep = markEnvironment(deep, newRunId());
  assert.equal(deep[RUN_MARKER]?.split(",").length, 8);
});
