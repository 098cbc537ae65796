/** `cli/bin.js` on an old Node.js: it starts the one that is installed with the package, and is like it in every way. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { Home, ROOT } from "../helpers/hermes.ts";
import { noOldNode, oldNode } from "../helpers/old-node.ts";
import { until } from "../helpers/poll.ts";
import { noPty, startOnPty } from "../helpers/pty.ts";

const BIN = join(ROOT, "cli/bin.js");
const SENTENCE = /^hermes needs Node\.js 24\.15 or newer; this is v[\d.]+\.\n$/;
const skip = noOldNode;

test("arguments, input, output and the exit code are those of the program", { skip }, (t) => {
  const home = new Home(t);
  const talk = run(home, ["chat", "-Q"], "the  words\n");
  assert.deepEqual([talk.status, talk.stderr], [0, ""]);
  assert.match(talk.stdout, /^the {2}words\n/);
  const spaced = run(home, ["chat", "-Q", "-q", 'say "a  b"\nand $HOME']);
  assert.match(spaced.stdout, /say "a {2}b"\nand \$HOME/);
  const failed = run(home, ["sessions", "show", "no such session"]);
  assert.equal(failed.status, 3);
  assert.match(failed.stderr, /^hermes: .*no such session/);
  assert.match(run(home, ["--version"]).stdout, new RegExp(`^node ${process.version}$`, "m"));
});

test("a signal to the process reaches the program, whose exit code is given", { skip }, async (t) => {
  const home = new Home(t);
  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 143],
  ] as const) {
    const { child, ended } = startSleeping(t, home);
    await untilSleeping(child);
    child.kill(signal);
    assert.deepEqual(await ended, [code, null], signal);
  }
});

test("a program that a signal ends takes the process with it, by the same signal", { skip }, async (t) => {
  const { child, ended } = startSleeping(t, new Home(t));
  await untilSleeping(child);
  process.kill(childOf(child.pid)!, "SIGKILL");
  assert.deepEqual(await ended, [null, "SIGKILL"]);
});

test("Ctrl+C on a terminal reaches the program once", { skip: skip || noPty }, async (t) => {
  const home = new Home(t);
  const seen = join(home.work, "seen");
  home.plugin(
    "count",
    `import { appendFileSync } from "node:fs";
    export const register = () => process.on("SIGINT", () => appendFileSync(${JSON.stringify(seen)}, "x"));\n`,
  );
  home.write("config.yaml", "plugins: { enabled: [count] }\n");
  const pty = startOnPty([oldNode!, BIN, "chat", "-q", "run `echo begun; sleep 60`"], {
    env: home.env(),
    cwd: home.work,
  });
  t.after(() => pty.kill());
  await until(() => isSleeping(childOf(pty.pid())), "the command runs");
  pty.type("\x03");
  assert.equal(await pty.exited, 130);
  assert.equal(readFileSync(seen, "utf8"), "x");
});

test("without that Node.js there is one sentence, and exit code 2", { skip }, (t) => {
  const folder = copyOfBin(t);
  const missing = spawnSync(oldNode!, [join(folder, "cli/bin.js"), "--version"], { encoding: "utf8" });
  assert.deepEqual([missing.status, missing.stdout], [2, ""]);
  assert.match(missing.stderr, SENTENCE);
  // A placeholder.
  install(folder, "24.21.0", (program) =>
    writeFileSync(program, "This file intentionally left blank\n", { mode: 0o755 }),
  );
  const blank = spawnSync(oldNode!, [join(folder, "cli/bin.js"), "--version"], { encoding: "utf8" });
  assert.equal(blank.status, 2);
  assert.match(blank.stderr, SENTENCE);
  install(folder, "20.0.0", (program) => symlinkSync(oldNode!, program));
  const old = spawnSync(oldNode!, [join(folder, "cli/bin.js"), "--version"], { encoding: "utf8" });
  assert.equal(old.status, 2);
  assert.match(old.stderr, SENTENCE);
});

test("the Node.js of a folder above is not used, the one beside an installed package is", { skip }, (t) => {
  const folder = copyOfBin(t);
  const bin = join(folder, "node_modules/hermes-hooks/cli/bin.js");
  mkdirSync(dirname(bin), { recursive: true });
  writeFileSync(join(folder, "node_modules/hermes-hooks/package.json"), '{"type":"module"}\n');
  writeFileSync(bin, readFileSync(BIN));
  writeFileSync(join(dirname(bin), "main.ts"), "export const main = () => console.log(process.version);\n");
  const inside = join(folder, "project/cli/bin.js");
  cpSync(join(folder, "node_modules/hermes-hooks"), join(folder, "project"), { recursive: true });
  install(folder, "24.21.0", (program) => symlinkSync(process.execPath, program));
  const above = spawnSync(oldNode!, [inside], { encoding: "utf8" });
  assert.equal(above.status, 2);
  assert.match(above.stderr, SENTENCE);
  // Node.js strips no types there: the program is loaded, and fails by that.
  const beside = spawnSync(oldNode!, [bin], { encoding: "utf8" });
  assert.match(beside.stderr, /ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING/);
});

test("a Node.js that can replace its process does so", (t) => {
  const folder = copyOfBin(t);
  // To this copy even the Node.js of the tests is old. What is loaded first ends the second start.
  const text = readFileSync(BIN, "utf8").replace("[24, 15]", "[99, 0]");
  writeFileSync(join(folder, "cli/bin.js"), text);
  install(folder, "99.0.0", (program) => symlinkSync(process.execPath, program));
  const first = join(folder, "first.cjs");
  writeFileSync(
    first,
    `if (process.env.FIRST === undefined) process.env.FIRST = String(process.pid);
    else {
      console.log(JSON.stringify([process.env.FIRST === String(process.pid), process.argv.slice(2)]));
      process.exit(7);
    }\n`,
  );
  const words = ["chat", "-q", "two words", ""];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--require", first, join(folder, "cli/bin.js"), ...words],
    { encoding: "utf8" },
  );
  assert.deepEqual([status, stderr], [7, ""]);
  assert.deepEqual(JSON.parse(stdout), [true, words]);
});

function run(home: Home, args: readonly string[], input = "") {
  return spawnSync(oldNode!, [BIN, ...args], { cwd: home.work, env: home.env(), encoding: "utf8", input });
}

interface Sleeping {
  readonly child: ChildProcess;
  readonly ended: Promise<[number | null, NodeJS.Signals | null]>;
}

/** A chat whose command runs for a minute, away from the terminal that the tests may have. */
function startSleeping(t: TestContext, home: Home): Sleeping {
  const child = spawn(oldNode!, [BIN, "chat", "-q", "run `sleep 60`"], {
    cwd: home.work,
    env: home.env(),
    stdio: "ignore",
    detached: true,
  });
  t.after(() => child.kill("SIGKILL"));
  return { child, ended: once(child, "exit") as Sleeping["ended"] };
}

function untilSleeping(child: ChildProcess): Promise<unknown> {
  return until(() => isSleeping(childOf(child.pid)), "the command runs");
}

/** Whether a descendant of the process is the command `sleep`. */
function isSleeping(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  const name = spawnSync("ps", ["-o", "comm=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim();
  return name === "sleep" || childrenOf(pid).some(isSleeping);
}

function childOf(pid: number | undefined): number | undefined {
  return pid === undefined ? undefined : childrenOf(pid)[0];
}

function childrenOf(pid: number): readonly number[] {
  const { stdout } = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

/** A folder with the program's first file alone, as a package without its dependencies. */
function copyOfBin(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "hermes-bin-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "cli"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}\n');
  writeFileSync(join(folder, "cli/bin.js"), readFileSync(BIN));
  return folder;
}

/** Installs the package `node` there; `write` makes its program. */
function install(folder: string, version: string, write: (program: string) => void): void {
  const own = join(folder, "node_modules/node");
  rmSync(own, { recursive: true, force: true });
  mkdirSync(join(own, "bin"), { recursive: true });
  writeFileSync(join(own, "package.json"), JSON.stringify({ name: "node", version }));
  write(join(own, "bin/node"));
}
