/** Every example of docs/guards.md, run as it stands there: what it must block is blocked, what it must not is not. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { parse } from "yaml";
import { grantExplicitTest } from "#allowlist/decide";
import { testEntry } from "#cli/commands/hooks/run-entry";
import { EVENTS } from "#core/events";
import { createFiring } from "#core/firing";
import { parseHookEntries } from "#sandbox/shell/entries";
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

  /** The decision of the one hook on a call: the message of a block, or null. Like the command's, in this process. */
  async judge(args: Record<string, unknown>, tool = "terminal"): Promise<string | null> {
    const { home } = this.newcomer;
    const { hooks } = parse(readFileSync(join(home, ".hermes/config.yaml"), "utf8")) as { hooks: unknown };
    const { entries } = parseHookEntries(hooks, home);
    assert.equal(entries.length, 1);
    const env = { ...process.env, HOME: home };
    const result = await testEntry({
      entry: entries[0]!,
      firing: createFiring("pre_tool_call", { ...EVENTS.pre_tool_call.sample(), tool_name: tool, args }),
      signal: AbortSignal.timeout(60_000),
      decide: grantExplicitTest,
      shellContext: { cwd: this.work, home: join(home, ".hermes"), env },
      warn: () => undefined,
    });
    return messageOf(result?.answer);
  }

  /** The same as `hermes hooks test` gives it. */
  async judgeByCommand(args: object, tool = "terminal"): Promise<string | null> {
    const payload = join(this.newcomer.home, "payload.json");
    writeFileSync(payload, JSON.stringify({ args }));
    const line = `hermes hooks test pre_tool_call --for-tool ${tool} --payload-file ${payload} --json || true`;
    const { stdout, stderr } = await this.newcomer.run(line, { cwd: this.work });
    const { results } = JSON.parse(stdout || "{}") as { results: { answer: unknown }[] };
    assert.equal(results.length, 1, stderr);
    return messageOf(results[0]!.answer);
  }
}

function messageOf(answer: unknown): string | null {
  if (answer === null) return null;
  const { action, message } = answer as { action: string; message: string };
  assert.equal(action, "block");
  return message;
}

test("the guard against force pushes", { skip }, async (context) => {
  const guard = new Guarded(context, "guard-script");
  assert.equal(await guard.judgeByCommand({ command: "git push -f" }), "force pushes are not allowed: git push -f");
  assert.equal(await guard.judgeByCommand({ command: "git push" }), null);
  assert.match((await guard.judgeByCommand({})) ?? "", /^Blocked because a guard failed/);
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
  assert.equal(await guard.judgeByCommand({ path: "a.txt" }, "write_file"), null);
  assert.equal(await guard.judgeByCommand({ path: "../a.txt" }, "patch"), "outside the project: ../a.txt");
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
  assert.equal(await guard.judgeByCommand({ command: "ls -la src" }), null);
  assert.equal(await guard.judgeByCommand({ command: "ls; rm x" }), "command not on the list: ls; rm x");
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
  ["is too slow", "sleep 600", true, false],
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
    const entries = MISTAKES.map(([, body], index) => ({
      command: join(hooks, `${index}.sh`),
      // Late is only the script that is meant to be.
      timeout: body.startsWith("sleep") ? 1 : 30,
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
