import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import { runProcess, type ProcessOptions } from "#sandbox/process/run";
import { filterEnvironment } from "#sandbox/process/environment";
import { inGoodTime } from "../helpers/good-time.ts";
import { lives } from "../helpers/processes.ts";
import { until } from "../helpers/poll.ts";

const scripts = resolve(import.meta.dirname, "../fixtures/scripts");
const script = (name: string) => join(scripts, name);

const run = (argv: readonly [string, ...string[]], options: Partial<ProcessOptions> = {}) =>
  runProcess({
    argv,
    cwd: scripts,
    env: { PATH: process.env["PATH"] },
    timeoutMs: 20_000,
    maxOutputBytes: 1024 * 1024,
    overflow: "kill",
    ...options,
  });

function folder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "hermes-process-"));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("gives output, exit code and standard error", async () => {
  const result = await run([script("answers.sh"), "out", "err", "3"]);
  assert.equal(result.ended, "exited");
  assert.deepEqual([result.stdout, result.stderr, result.exit_code, result.signal], ["out", "err", 3, null]);
  assert.deepEqual([result.start_problem, result.truncated], [null, false]);
});

test("standard input arrives whole, and without one it is empty", async () => {
  const stdin = "é😀".repeat(100_000);
  assert.equal((await run(["cat"], { stdin })).stdout, stdin);
  assert.equal((await run(["cat"])).stdout, "");
});

test("a script can open its streams by name", async () => {
  const line = "cat </dev/stdin; cat /dev/stdin | tee /dev/stderr; echo no >/dev/stderr; echo yes >>/dev/stdout";
  const { stdout, stderr } = await run(["bash", "-c", line], { stdin: "payload\n" });
  assert.equal(stderr, "payload\nno\n");
  assert.equal(stdout, "payload\npayload\nyes\n");
});

test("many at once keep their streams apart, and leave no descriptor behind", async (context) => {
  const count = () => readdirSync("/proc/self/fd").length;
  const before = process.platform === "linux" ? count() : 0;
  const runs = Array.from({ length: 40 }, (_, index) => run(["cat"], { stdin: `${index}`.repeat(20_000) }));
  for (const [index, result] of (await Promise.all(runs)).entries()) {
    assert.equal(result.stdout, `${index}`.repeat(20_000));
  }
  const failed = await run(["./no-such.sh"], { stdin: "x" });
  assert.equal(failed.ended, "not_started");
  if (process.platform !== "linux") return context.diagnostic("descriptors are counted on Linux only");
  // Batches of spare pipes may have been opened since.
  assert.ok(count() <= before + 2 * 24, `${count()} descriptors, ${before} before`);
});

test("invalid UTF-8 becomes U+FFFD", async () => {
  assert.equal((await run(["printf", "a\\377b\\303"])).stdout, "a\uFFFDb\uFFFD");
});

test("a script that never reads a payload of 1 MB answers all the same", async () => {
  const result = await run([script("never-reads.sh")], { stdin: "x".repeat(1_000_000) });
  assert.equal(result.ended, "exited");
  assert.match(result.stdout, /did not look/);
});

test("death by a signal is named", async () => {
  const result = await run([script("dies-by-signal.sh")]);
  assert.deepEqual([result.ended, result.exit_code, result.signal], ["exited", null, "SIGKILL"]);
});

test("a time-out ends the whole group, a grandchild that holds the pipes too", async (context) => {
  const file = join(folder(context), "pid");
  const result = await inGoodTime(async (factor) => {
    const ended = await run([script("forever-with-grandchild.sh"), file], { timeoutMs: factor * 500 });
    return existsSync(file) && readFileSync(file, "utf8") !== "" ? ended : undefined;
  });
  assert.equal(result.ended, "timeout");
  const pid = Number(readFileSync(file, "utf8"));
  await until(() => !lives(pid), "the grandchild ends");
});

test("who ignores TERM gets KILL", async () => {
  // Before it ignores the signal, that ends it.
  const result = await inGoodTime(async (factor) => {
    const ended = await run([script("ignores-sigterm.sh")], { timeoutMs: factor * 300, killGraceMs: 100 });
    return ended.signal === "SIGTERM" ? undefined : ended;
  });
  assert.deepEqual([result.ended, result.signal], ["timeout", "SIGKILL"]);
});

test("a grandchild that outlives a hook in time is not waited for, and lives on", async (context) => {
  const file = join(folder(context), "pid");
  const result = await run([script("leaves-grandchild.sh"), file]);
  const pid = Number(readFileSync(file, "utf8"));
  context.after(() => process.kill(pid));
  assert.deepEqual([result.ended, result.exit_code, result.stdout], ["exited", 0, "{}"]);
  assert.equal(lives(pid), true);
});

for (const [name, stream] of [
  ["floods.sh", "stdout"],
  ["floods-stderr.sh", "stderr"],
] as const) {
  test(`more output than allowed on ${stream} ends the process`, async () => {
    const result = await run([script(name)], { maxOutputBytes: 5000 });
    assert.equal(result.ended, "overflow");
    assert.equal(result.truncated, true);
    assert.equal(result[stream].length, 5000);
  });
}

test("output of exactly the limit is not an overflow", async () => {
  const result = await run(["printf", "12345"], { maxOutputBytes: 5 });
  assert.deepEqual([result.ended, result.stdout, result.truncated], ["exited", "12345", false]);
});

test("truncate keeps the beginning and lets the process finish", async () => {
  const stdin = "é".repeat(300_000);
  const result = await run(["sh", "-c", "cat; exit 7"], { stdin, overflow: "truncate", maxOutputBytes: 11 });
  assert.deepEqual([result.ended, result.exit_code, result.truncated], ["exited", 7, true]);
  assert.equal(result.stdout, "ééééé");
});

test("an abort ends the group; one that came before starts nothing", async (context) => {
  const file = join(folder(context), "pid");
  const controller = new AbortController();
  const running = run([script("forever-with-grandchild.sh"), file], { signal: controller.signal });
  await until(() => existsSync(file) && readFileSync(file, "utf8") !== "", "the script has started");
  controller.abort();
  assert.equal((await running).ended, "interrupted");
  const pid = Number(readFileSync(file, "utf8"));
  await until(() => !lives(pid), "the grandchild ends");

  const other = join(folder(context), "pid");
  const result = await run([script("forever-with-grandchild.sh"), other], { signal: controller.signal });
  assert.equal(result.ended, "interrupted");
  assert.equal(existsSync(other), false);
});

const PROBLEMS: readonly (readonly [what: string, options: Partial<ProcessOptions>, problem: RegExp])[] = [
  ["a missing script", { argv: ["./no-such.sh"] }, /^not found: \.\/no-such\.sh$/],
  ["a name that is not in PATH", { argv: ["no-such-program"] }, /^not found: no-such-program$/],
  [
    "a script without exec bit",
    { argv: ["./not-executable.sh"] },
    /^not executable: .*not-executable\.sh \(run: chmod/,
  ],
  ["a folder", { argv: ["./"] }, /^not executable: .* is a directory$/],
  [
    "a missing interpreter",
    { argv: ["./missing-interpreter.sh"] },
    /interpreter of .* is missing: \/no\/such\/interpreter$/,
  ],
  [
    "Windows line ends",
    { argv: ["./windows-line-ends.sh"] },
    /windows-line-ends\.sh has Windows line endings, so its interpreter is not found \(run: sed/,
  ],
  ["a missing working folder", { cwd: "/no/such/folder" }, /^the working directory \/no\/such\/folder does not exist$/],
  ["a NUL in the command", { argv: ["echo", "a\0b"] }, /^NUL byte in the command$/],
  ["a NUL in the environment", { env: { A: "\0" } }, /^NUL byte in the environment variable "A"$/],
  ["an argument beyond the system's bound", { argv: ["true", "x".repeat(3_000_000)] }, /too long/],
];
for (const [what, options, problem] of PROBLEMS) {
  test(`${what} is recognised`, async () => {
    const result = await run(["true"], options);
    assert.equal(result.ended, "not_started");
    assert.match(result.start_problem ?? "", problem);
  });
}

test("what still runs when the program ends is killed", async (context) => {
  const at = folder(context);
  const pidFile = join(at, "pid");
  const program = join(at, "program.ts");
  const module = resolve(import.meta.dirname, "../../sandbox/process/run.ts");
  const options = `{ argv: [${JSON.stringify(script("forever-with-grandchild.sh"))}, ${JSON.stringify(pidFile)}], cwd: "/", env: process.env, timeoutMs: 1e6, maxOutputBytes: 10, overflow: "kill" }`;
  writeFileSync(
    program,
    `import { existsSync, readFileSync } from "node:fs";
import { runProcess } from ${JSON.stringify(module)};
void runProcess(${options});
setInterval(() => { if (existsSync(${JSON.stringify(pidFile)}) && readFileSync(${JSON.stringify(pidFile)}, "utf8")) process.exit(5); }, 10);`,
  );
  chmodSync(program, 0o644);
  const child = spawn(process.execPath, [program], { stdio: "inherit" });
  const code = await new Promise((ended) => child.once("exit", ended));
  assert.equal(code, 5);
  const pid = Number(readFileSync(pidFile, "utf8"));
  await until(() => !lives(pid), "the grandchild ends with the program");
});

test("variables named like secrets are kept back unless they are asked for", () => {
  const env = {
    PATH: "/bin",
    OPENAI_API_KEY: "1",
    my_token: "2",
    DB_PASSWORD_FILE: "3",
    A_SECRET: "4",
    KEYBOARD: "us",
    TOKENS: "5",
  };
  assert.deepEqual(filterEnvironment(env, ["A_SECRET"]), { PATH: "/bin", A_SECRET: "4", KEYBOARD: "us", TOKENS: "5" });
});
