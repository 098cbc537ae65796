/** Scripts that do what they should not, through the dispatcher: what the agent gets to see, and that nothing is left. */
import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import type { Decision } from "#core/answers";
import { HookDispatcher } from "#core/dispatch";
import { EVENTS, type EventName } from "#core/events";
import type { HookRun } from "#core/ports/hook";
import { grantExplicitTest } from "#allowlist/decide";
import { runProcess } from "#sandbox/process/run";
import { createShellHook } from "#sandbox/shell/hook";
import { parseHookEntries } from "#sandbox/shell/entries";
import { inGoodTime } from "../helpers/good-time.ts";
import { killQuietly, lives, pidIn } from "../helpers/processes.ts";
import { until } from "../helpers/poll.ts";

const scripts = resolve(import.meta.dirname, "../fixtures/scripts");
const MEBIBYTE = 1024 * 1024;
const LINUX = process.platform === "linux";

interface Setting {
  readonly cwd?: string;
  readonly event?: EventName;
  readonly payload?: object;
  /** The user's home directory. */
  readonly user?: string;
}

async function fire(
  entry: Record<string, unknown>,
  { cwd = scripts, event = "pre_tool_call", payload = {}, user }: Setting = {},
): Promise<{ readonly decision: Decision; readonly run: HookRun }> {
  const dispatcher = new HookDispatcher();
  const runs: HookRun[] = [];
  for (const parsed of parseHookEntries({ [event]: [entry] }).entries) {
    const shellContext = {
      cwd,
      home: "/the/home",
      env: { PATH: process.env["PATH"], ...(user === undefined ? {} : { HOME: user }) },
    };
    dispatcher.register(createShellHook(parsed, { decide: grantExplicitTest, shellContext }));
  }
  const onRun = (run: HookRun) => void runs.push(run);
  const decision = await dispatcher.invoke_hook(event, { ...EVENTS[event].sample(), ...payload }, { onRun });
  const [run] = runs;
  assert.ok(run !== undefined, "the hook has run");
  return { decision, run };
}

function temporary(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "hermes-faults-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const block = (message: string) => ({ kind: "block", message });

for (const [what, script] of [
  ["who leaves its group", "leaves-its-group.sh"],
  ["who forks twice", "forks-twice.sh"],
] as const) {
  test(`${what} is killed at the time-out, and the warning says so`, { skip: !LINUX }, async (context) => {
    const file = join(temporary(context), "pid");
    const { decision, run } = await inGoodTime(async (timeout) => {
      const fired = await fire({ command: `./${script} ${file}`, timeout, fail_closed: true });
      return existsSync(file) ? fired : undefined;
    });
    const pid = await pidIn(file);
    context.after(() => killQuietly(pid));
    assert.equal(decision.kind, "block");
    assert.deepEqual([run.outcome, run.cause], ["block", "timeout"]);
    assert.match(run.detail ?? "", new RegExp(`\\(pid ${pid}\\).* left its process group; killed`));
    await until(() => !lives(pid), "it ends");
  });
}

for (const stream of ["out", "err"]) {
  test(`a gigabyte on std${stream} ends the script and is not kept`, async () => {
    const before = process.memoryUsage().rss;
    const { decision, run } = await fire({ command: `./floods-1gb.sh ${stream}`, fail_closed: true });
    assert.equal(decision.kind, "block");
    assert.match(run.detail ?? "", /more than 1 MiB/);
    assert.ok(process.memoryUsage().rss - before < 200 * MEBIBYTE);
  });
}

test("a gigabyte of discarded output uses no memory", async () => {
  const before = process.memoryUsage().rss;
  const result = await runProcess({
    argv: [join(scripts, "floods-1gb.sh")],
    cwd: scripts,
    env: { PATH: process.env["PATH"] },
    timeoutMs: 100_000,
    maxOutputBytes: 1000,
    tailBytes: 300,
    overflow: "truncate",
  });
  assert.deepEqual([result.ended, result.exit_code, result.truncated], ["exited", 0, true]);
  assert.match(result.stdout, /1073740824 bytes omitted/);
  assert.ok(process.memoryUsage().rss - before < 200 * MEBIBYTE);
});

test("a payload of 10 MB that nobody reads holds up nothing", async () => {
  const payload = { args: { command: "x".repeat(10_000_000) } };
  const { decision } = await fire({ command: "./never-reads.sh" }, { payload });
  assert.deepEqual(decision, block("did not look"));
});

test("an answer of exactly 1 MiB is accepted, one byte more is not", async () => {
  const exact = await fire({ command: `./answers-at-length.sh ${MEBIBYTE}` });
  assert.deepEqual(exact.decision, block("long"));
  const longer = await fire({ command: `./answers-at-length.sh ${MEBIBYTE + 1}` });
  assert.equal(longer.decision.kind, "pass");
  assert.match(longer.run.detail ?? "", /more than 1 MiB/);
  const closed = await fire({ command: `./answers-at-length.sh ${MEBIBYTE + 1}`, fail_closed: true });
  assert.equal(closed.decision.kind, "block");
  assert.notDeepEqual(closed.decision, block("long"));
});

for (const [what, command] of [
  ["objects", "./nests.sh 150000"],
  ["brackets", "./nests.sh 1000000 array"],
] as const) {
  test(`a megabyte of nested ${what} is a failure like any other`, async () => {
    const open = await fire({ command });
    assert.deepEqual(open.decision, { kind: "pass" });
    assert.equal(open.run.outcome, "error");
    const closed = await fire({ command, fail_closed: true });
    assert.equal(closed.decision.kind, "block");
  });
}

test("a script that vanishes between approval and run is named as missing", async (context) => {
  const folder = temporary(context);
  const script = join(folder, "guard.sh");
  copyFileSync(join(scripts, "never-reads.sh"), script);
  chmodSync(script, 0o755);
  const [entry] = parseHookEntries({ pre_tool_call: [{ command: script, fail_closed: true }] }).entries;
  const shellContext = {
    cwd: folder,
    home: "/the/home",
    env: { PATH: process.env["PATH"] },
  };
  const dispatcher = new HookDispatcher();
  dispatcher.register(createShellHook(entry!, { decide: grantExplicitTest, shellContext }));
  const call = () => dispatcher.invoke_hook("pre_tool_call", EVENTS.pre_tool_call.sample());
  assert.deepEqual(await call(), block("did not look"));
  rmSync(script);
  const gone = await call();
  assert.match(gone.kind === "block" ? gone.message : "", /not found: .*guard\.sh/);
  writeFileSync(script, "#!/bin/sh\nprintf '{}'\n", { mode: 0o644 });
  const notExecutable = await call();
  assert.match(notExecutable.kind === "block" ? notExecutable.message : "", /not executable/);
});

test("a script that removes its working folder answers; the next one runs in the user's home", async (context) => {
  const folder = temporary(context);
  const cwd = join(folder, "work");
  const home = join(folder, "home");
  mkdirSync(cwd);
  mkdirSync(home);
  const command = join(scripts, "deletes-its-folder.sh");
  assert.deepEqual((await fire({ command }, { cwd })).decision, block("gone"));
  assert.equal(existsSync(cwd), false);
  const where = join(scripts, "tells-its-folder.sh");
  assert.deepEqual((await fire({ command: where }, { cwd, user: home })).decision, block(`${cwd} ${home}`));
});

test("observers are bounded the same way: a hanging one is ended and the others are heard", async (context) => {
  const file = join(temporary(context), "runs");
  const dispatcher = new HookDispatcher();
  const outcomes: string[] = [];
  dispatcher.sinks.add(({ outcome }) => void outcomes.push(outcome));
  const commands = ["./forever.sh", `./counts-runs.sh ${file}`, "./dies-by-signal.sh", `./counts-runs.sh ${file}`];
  const timeoutOf = (command: string) => (command === "./forever.sh" ? 1 : 30);
  const hooks = { post_tool_call: commands.map((command) => ({ command, timeout: timeoutOf(command) })) };
  for (const entry of parseHookEntries(hooks).entries) {
    const shellContext = {
      cwd: scripts,
      home: "/the/home",
      env: { PATH: process.env["PATH"] },
    };
    dispatcher.register(createShellHook(entry, { decide: grantExplicitTest, shellContext }));
  }
  await dispatcher.invoke_hook("post_tool_call", EVENTS.post_tool_call.sample());
  assert.equal(readFileSync(file, "utf8"), "run\nrun\n");
  assert.deepEqual(outcomes.toSorted(), ["error", "pass", "pass", "timeout"]);
});
