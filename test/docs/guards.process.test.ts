/** Every example of docs/guards.md, run as it stands there: what it must block is blocked, what it must not is not. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";

const PAGE = "docs/guards.md";
const scripts = examplesOf(PAGE, "bash");
const configs = examplesOf(PAGE, "yaml");
const skip = spawnSync("jq", ["--version"]).error !== undefined && "there is no jq here";

test("every block of the page is an example with a name of its own", () => {
  assert.equal(countBlocks(PAGE, "bash"), scripts.size);
  assert.equal(countBlocks(PAGE, "yaml"), configs.size);
});

class Guarded {
  readonly newcomer: Newcomer;
  readonly script: string;
  readonly work: string;

  constructor(context: TestContext, name: string) {
    this.newcomer = new Newcomer(context);
    const text = scripts.get(name)!;
    const hooks = join(this.newcomer.home, ".hermes/agent-hooks");
    this.work = join(this.newcomer.home, "project");
    mkdirSync(hooks, { recursive: true });
    mkdirSync(this.work);
    this.script = join(hooks, /^# ~\/\.hermes\/agent-hooks\/([\w.-]+)/m.exec(text)![1]!);
    writeFileSync(this.script, text);
    chmodSync(this.script, 0o755);
    writeFileSync(
      join(this.newcomer.home, ".hermes/config.yaml"),
      configs.get(name === "guard-script" ? "guard-config" : `${name}-config`)!,
    );
  }

  /** The decision of the one hook on a call, as `hermes hooks test` gives it: the message of a block, or null. */
  async judge(args: object, tool = "terminal"): Promise<string | null> {
    const payload = join(this.newcomer.home, "payload.json");
    writeFileSync(payload, JSON.stringify({ args }));
    const line = `hermes hooks test pre_tool_call --for-tool ${tool} --payload-file ${payload} --json || true`;
    const { stdout, stderr } = await this.newcomer.run(line, { cwd: this.work });
    const { results } = JSON.parse(stdout || "{}") as {
      results: { answer: { action: string; message: string } | null }[];
    };
    assert.equal(results.length, 1, stderr);
    const answer = results[0]!.answer;
    assert.ok(answer === null || answer.action === "block");
    return answer?.message ?? null;
  }
}

test("the guard against force pushes", { skip }, async (context) => {
  const guard = new Guarded(context, "guard-script");
  for (const command of ["git push --force", "git push origin main -f", "cd x && git push -uf"]) {
    assert.equal(await guard.judge({ command }), `force pushes are not allowed: ${command}`);
  }
  for (const command of ["git push", "git status", "ls -f"])
    assert.equal(await guard.judge({ command }), null, command);
  for (const args of [{}, { command: null }, { command: 5 }, { command: ["git push -f"] }]) {
    assert.match((await guard.judge(args)) ?? "", /^Blocked because a guard failed/);
  }
  rmSync(guard.script);
  assert.match((await guard.judge({ command: "ls" })) ?? "", /not found/);
});

test("the guard that answers with JSON", { skip }, async (context) => {
  const guard = new Guarded(context, "guard-answer");
  symlinkSync("/etc", join(guard.work, "link"));
  for (const path of ["a.txt", "deep/er/a.txt", 'a"b.txt', join(guard.work, "a.txt")]) {
    assert.equal(await guard.judge({ path }, "write_file"), null, path);
  }
  for (const path of ["../a.txt", "/etc/passwd", "link/passwd", '/x"y', "-n"]) {
    if (path !== "-n") assert.equal(await guard.judge({ path }, "patch"), `outside the project: ${path}`);
  }
  assert.match((await guard.judge({}, "write_file")) ?? "", /a guard failed/);
});

test("the guard that says what is allowed", { skip }, async (context) => {
  const guard = new Guarded(context, "guard-allow");
  for (const command of ["ls", "ls -la src", "git diff HEAD", "npm test"])
    assert.equal(await guard.judge({ command }), null);
  for (const command of [
    "ls; rm x",
    "ls $(id)",
    "ls\nid",
    "git push",
    "npm test && id",
    "lsof",
    "",
    "ls > x",
    "ls `id`",
  ]) {
    assert.equal(await guard.judge({ command }), `command not on the list: ${command}`.trimEnd());
  }
});

test(
  "the script that tests the guards passes with them and fails without, and the checks say what they say",
  { skip },
  async (context) => {
    const guard = new Guarded(context, "guard-script");
    const run = (name: string) => guard.newcomer.run(scripts.get(name)!);
    const tested = await run("guard-test");
    assert.deepEqual([tested.code, tested.stderr], [0, ""]);
    assert.equal((await run("guard-check")).code, 1, "it is not approved yet");
    await guard.newcomer.run("hermes hooks allow --all");
    assert.equal((await guard.newcomer.run("hermes hooks list --check")).code, 0);
    writeFileSync(guard.script, "#!/bin/sh\ncat >/dev/null\n");
    assert.notEqual((await run("guard-test")).code, 0);
    assert.equal((await run("guard-check")).code, 1, "it has changed");
  },
);

/** The table of what goes wrong, row by row: a script, and whether the call goes through without `fail_closed`. */
const MISTAKES: readonly (readonly [what: string, body: string, open: boolean, closed: boolean])[] = [
  ["ends with 1", "exit 1", true, false],
  ["lacks a program", "no-such-program-as-jq .", true, false],
  ["is too slow", "sleep 20", true, false],
  ["prints no JSON", "echo no", true, false],
  ["denies in words that nobody knows", `echo '{"decision":"deny"}'`, true, false],
  ["ends with 2", "exit 2", false, false],
  ["has nothing to say", ":", true, true],
];

test("the table: what a guard's failure lets through", async (context) => {
  const newcomer = new Newcomer(context);
  const hooks = join(newcomer.home, ".hermes/agent-hooks");
  mkdirSync(hooks, { recursive: true });
  for (const [index, [, body]] of MISTAKES.entries()) {
    writeFileSync(join(hooks, `${index}.sh`), `#!/bin/sh\n${body}\n`);
    chmodSync(join(hooks, `${index}.sh`), 0o755);
  }
  for (const closed of [false, true]) {
    const entries = MISTAKES.map((_, index) => ({
      command: join(hooks, `${index}.sh`),
      timeout: 1,
      fail_closed: closed,
    }));
    writeFileSync(
      join(newcomer.home, ".hermes/config.yaml"),
      `hooks:\n  pre_tool_call: ${JSON.stringify([...entries, { command: "./gone.sh", fail_closed: closed }])}\n`,
    );
    const { stdout } = await newcomer.run("hermes hooks test pre_tool_call --json || true");
    const { results } = JSON.parse(stdout) as { results: { answer: { action: string } | null }[] };
    const passed = results.map(({ answer }) => answer === null);
    assert.deepEqual(passed, [...MISTAKES.map((row) => row[closed ? 3 : 2]), !closed]);
  }
});
