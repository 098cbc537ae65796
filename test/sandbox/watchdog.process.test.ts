/** Children of a host that dies by kill -9 are gone within five seconds, and so is the watchdog itself. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import { killQuietly, lives, pidIn } from "../helpers/processes.ts";
import { until } from "../helpers/poll.ts";

const fixtures = resolve(import.meta.dirname, "../fixtures");
const script = (name: string) => join(fixtures, "scripts", name);
const skip = process.platform === "linux" ? false : "there is a watchdog on Linux only";

interface Host {
  readonly child: ChildProcess;
  /** The pid that its run has written. */
  readonly pid: number;
  readonly watchdog: number;
}

async function startHost(context: TestContext, words: (file: string) => readonly string[]): Promise<Host> {
  const folder = mkdtempSync(join(tmpdir(), "hermes-killed-host-"));
  const file = join(folder, "pid");
  const child = spawn(process.execPath, [join(fixtures, "programs/hosts-a-run.ts"), ...words(file)], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const pid = await pidIn(file);
  context.after(() => {
    child.kill("SIGKILL");
    killQuietly(pid);
    rmSync(folder, { recursive: true, force: true });
  });
  let watchdog: number | undefined;
  await until(() => (watchdog = watchdogOf(child.pid ?? 0)) !== undefined, "the watchdog is there");
  return { child, pid, watchdog: watchdog ?? 0 };
}

function watchdogOf(parent: number): number | undefined {
  return readdirSync("/proc")
    .map(Number)
    .find((pid) => pid > 0 && parentOf(pid) === parent && commandOf(pid).includes("hermes-watchdog"));
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(
      readFileSync(`/proc/${pid}/stat`, "latin1")
        .replace(/^.*\) /s, "")
        .split(" ")[1],
    );
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

const withoutEnvironment = `env -i sleep 1000 & echo $! >"$1"; wait`;
const CASES: readonly (readonly [what: string, words: (file: string) => readonly string[]])[] = [
  ["a grandchild", (file) => [script("forever-with-grandchild.sh"), file]],
  ["a process in a session of its own", (file) => [script("leaves-its-group.sh"), file]],
  ["a daemon of two forks", (file) => [script("forks-twice.sh"), file]],
  ["a daemon that ignores TERM", (file) => [script("daemon-ignores-sigterm.sh"), file]],
  ["a grandchild without an environment", (file) => ["/bin/sh", "-c", withoutEnvironment, "sh", file]],
];
for (const [what, words] of CASES) {
  test(`kill -9 of the host ends ${what}`, { skip }, async (context) => {
    const host = await startHost(context, words);
    host.child.kill("SIGKILL");
    await until(() => !lives(host.pid), `${what} is gone`);
    await until(() => !lives(host.watchdog), "the watchdog is gone");
  });
}

test("the daemon of a run that ended in time is spared, and so are strangers", { skip }, async (context) => {
  const stranger = spawn("sleep", ["1000"], { stdio: "ignore", detached: true });
  context.after(() => stranger.kill("SIGKILL"));
  const folder = mkdtempSync(join(tmpdir(), "hermes-killed-host-"));
  const daemonFile = join(folder, "daemon");
  const host = await startHost(context, (file) => [
    script("forks-twice.sh"),
    daemonFile,
    "and-ends",
    "--then",
    script("leaves-its-group.sh"),
    file,
  ]);
  const daemon = await pidIn(daemonFile);
  context.after(() => {
    killQuietly(daemon);
    rmSync(folder, { recursive: true, force: true });
  });
  host.child.kill("SIGKILL");
  await until(() => !lives(host.pid), "the process of the second run is gone");
  await until(() => !lives(host.watchdog), "the watchdog is gone");
  assert.deepEqual([lives(daemon), lives(stranger.pid ?? 0)], [true, true]);
});

test("the watchdog ends with a host that ends by itself, and holds up nothing", { skip }, async (context) => {
  const host = await startHost(context, (file) => ["/bin/sh", "-c", 'echo $$ >"$1"; exec sleep 1', "sh", file]);
  const code = await new Promise((ended) => host.child.once("exit", ended));
  assert.equal(code, 0);
  await until(() => !lives(host.watchdog), "the watchdog is gone");
});
