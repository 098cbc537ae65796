/** An approval covers the shell and the environment that it was given with (CONTRACT §5). */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { framesOf, Home } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { noPty } from "../helpers/pty.ts";

const ALLOWLIST = "shell-hooks-allowlist.json";
const TURN = ["chat", "-q", "run `echo reached`", "--output-format", "stream-json"] as const;

interface Listed {
  readonly allowed: boolean;
  readonly approved_without: readonly string[];
}

class Terms {
  readonly home: Home;
  readonly planted: string;
  readonly command: string;

  constructor(t: TestContext) {
    this.home = new Home(t);
    this.planted = join(this.home.work, "planted");
    this.command = `echo ok ; touch ${this.planted}`;
  }

  configure(entry: object = {}, top = ""): void {
    const hooks = { pre_tool_call: [{ command: this.command, ...entry }] };
    this.home.write("config.yaml", `${top}hooks: ${JSON.stringify(hooks)}\n`);
  }

  approve(approval: object = {}): void {
    const approvals = [{ event: "pre_tool_call", command: this.command, ...approval }];
    this.home.write(ALLOWLIST, JSON.stringify({ approvals }), 0o600);
  }

  async listed(): Promise<Listed> {
    const { hooks } = JSON.parse((await runInProcess(this.home, ["hooks", "list", "--json"])).stdout) as {
      hooks: Listed[];
    };
    return { allowed: hooks[0]!.allowed, approved_without: hooks[0]!.approved_without };
  }

  recorded(): Record<string, unknown> {
    return (JSON.parse(this.home.read(ALLOWLIST)) as { approvals: Record<string, unknown>[] }).approvals[0]!;
  }
}

test("words that were approved do not run through sh -c once protocol: claude is added", async (t) => {
  const terms = new Terms(t);
  const { home, planted, command } = terms;
  terms.configure();
  assert.equal((await runInProcess(home, ["hooks", "allow", "pre_tool_call", command])).code, 0);
  assert.deepEqual(await terms.listed(), { allowed: true, approved_without: [] });
  await home.run(TURN);
  assert.equal(existsSync(planted), false, "as words, they are only printed");

  terms.configure({ protocol: "claude" });
  const { stderr, stdout } = await home.run(TURN);
  assert.equal(existsSync(planted), false);
  assert.match(stderr, /not approved and will not run: .*approved without the shell \(sh -c\)/);
  assert.match(stdout, /"output":"reached|reached/);
  assert.deepEqual(await terms.listed(), { allowed: false, approved_without: ["the shell (sh -c)"] });
  assert.match((await runInProcess(home, ["hooks", "list"])).stdout, /approved without the shell \(sh -c\)/);
  const doctor = await home.run(["hooks", "doctor"]);
  assert.equal(doctor.code, 1);
  assert.match(
    doctor.stdout,
    /approved without the shell \(sh -c\).*run: hermes hooks allow pre_tool_call '.*' --shell$/m,
  );
  assert.equal(existsSync(planted), false, "doctor does not run it");

  const again = await runInProcess(home, ["hooks", "allow", "pre_tool_call", command]);
  assert.equal(again.code, 0);
  assert.match(again.stderr, /approved without the shell.*--shell/);
  await home.run(TURN);
  assert.equal(existsSync(planted), false, "an approval of the words alone is still none of the shell");

  const shell = await home.run(["hooks", "allow", "pre_tool_call", command, "--shell"]);
  assert.match(shell.stdout, /Approved again, now with the shell \(sh -c\)/);
  assert.equal(terms.recorded()["shell"], true);
  await home.run(TURN);
  assert.equal(existsSync(planted), true);
});

test("hooks test runs it, and says that its approval lacks the shell", async (t) => {
  const terms = new Terms(t);
  terms.configure({ protocol: "claude" });
  terms.approve();
  const { stderr } = await terms.home.run(["hooks", "test", "pre_tool_call"]);
  assert.match(stderr, /runs only in this test: it was approved without the shell \(sh -c\)/);
  assert.equal(existsSync(terms.planted), true);
});

test("variables are compared as sets: an approval for more covers less", async (t) => {
  const terms = new Terms(t);
  const cases: readonly (readonly [entry: readonly string[], approved: unknown, missing: readonly string[]])[] = [
    [[], undefined, []],
    [["A_TOKEN"], undefined, ["A_TOKEN"]],
    [["A_TOKEN"], ["A_TOKEN"], []],
    [["B_KEY", "A_TOKEN", "A_TOKEN"], ["A_TOKEN", "B_KEY"], []],
    [["A_TOKEN"], ["B_KEY", "A_TOKEN", "C_KEY"], []],
    [["A_TOKEN", "B_KEY"], ["A_TOKEN"], ["B_KEY"]],
    [["a_token"], ["A_TOKEN"], ["a_token"]],
    [["A_TOKEN"], "A_TOKEN", ["A_TOKEN"]],
    [["A_TOKEN"], [["A_TOKEN"]], ["A_TOKEN"]],
    [[], ["A_TOKEN"], []],
  ];
  for (const [env, approved, missing] of cases) {
    terms.configure({ env });
    terms.approve(approved === undefined ? {} : { env: approved });
    assert.deepEqual(await terms.listed(), { allowed: missing.length === 0, approved_without: missing });
  }
  for (const [shell, allowed] of [
    [true, true],
    ["true", false],
    [1, false],
  ] as const) {
    terms.configure({ protocol: "claude" });
    terms.approve({ shell });
    assert.equal((await terms.listed()).allowed, allowed, JSON.stringify(shell));
  }
  terms.configure();
  assert.equal((await terms.listed()).allowed, true, "what may go through a shell may also run as words");
});

test("a guard with fail_closed blocks while its approval lacks a variable", async (t) => {
  const terms = new Terms(t);
  terms.configure({ env: ["A_TOKEN"], fail_closed: true });
  terms.approve();
  const frames = framesOf(await terms.home.run(TURN));
  const result = frames.find(({ type }) => type === "tool_result");
  assert.equal(result?.["success"], false);
  assert.match(String(result?.["content"]), /approved without A_TOKEN.*hooks allow .* --env A_TOKEN/);
});

for (const [how, args, env, top] of [
  ["flag", ["--accept-hooks"], {}, ""],
  ["env", [], { HERMES_ACCEPT_HOOKS: "yes" }, ""],
  ["config", [], {}, "hooks_auto_accept: true\n"],
] as const) {
  test(`the opt-in by ${how} records the shell and the environment, and extends an approval without`, async (t) => {
    const terms = new Terms(t);
    terms.configure({ protocol: "claude", env: ["A_TOKEN"] }, top);
    for (const before of [undefined, { approved_at: "2026-01-01T00:00:00Z", env: ["OLD"], script_path: "/kept" }]) {
      if (before !== undefined) terms.approve(before);
      await terms.home.run([...args, ...TURN], { env });
      const { shell, env: names, approved_by, script_path } = terms.recorded();
      assert.deepEqual([shell, approved_by], [true, how]);
      assert.deepEqual(names, before === undefined ? ["A_TOKEN"] : ["OLD", "A_TOKEN"]);
      assert.equal(script_path, before === undefined ? null : "/kept", "nobody looked at the script again");
      assert.deepEqual(await terms.listed(), { allowed: true, approved_without: [] });
    }
  });
}

test("allow --all records what the entries have, together for entries of the same pair", async (t) => {
  const terms = new Terms(t);
  const { command, home } = terms;
  const hooks = {
    pre_tool_call: [
      { command, env: ["A_TOKEN"] },
      { command, protocol: "claude", env: "B_KEY" },
    ],
  };
  home.write("config.yaml", `hooks: ${JSON.stringify(hooks)}\n`);
  const { stdout } = await home.run(["hooks", "allow", "--all", "--json"]);
  const approved = [{ event: "pre_tool_call", command, shell: true, env: ["A_TOKEN", "B_KEY"] }];
  assert.deepEqual(JSON.parse(stdout), { approved, already_approved: [] });
  assert.deepEqual((await runInProcess(home, ["hooks", "list", "--check"])).code, 0);
  assert.deepEqual(JSON.parse((await runInProcess(home, ["hooks", "allow", "--all", "--json"])).stdout), {
    approved: [],
    already_approved: approved,
  });
});

test("allow takes several --env; nothing of an earlier approval is lost; wrong options are usage errors", async (t) => {
  const terms = new Terms(t);
  terms.configure({ env: ["A_TOKEN", "B_KEY"] });
  const allow = (...options: readonly string[]) =>
    runInProcess(terms.home, ["hooks", "allow", "pre_tool_call", terms.command, ...options]);
  await allow("--env", "A_TOKEN");
  assert.deepEqual((await terms.listed()).approved_without, ["B_KEY"]);
  await allow("--env", "B_KEY", "--shell");
  assert.deepEqual([terms.recorded()["env"], terms.recorded()["shell"]], [["A_TOKEN", "B_KEY"], true]);
  await allow();
  assert.deepEqual(terms.recorded()["env"], ["A_TOKEN", "B_KEY"]);
  assert.equal((await terms.listed()).allowed, true);
  assert.equal((await allow("--env", "A=1")).code, 2);
  assert.equal((await runInProcess(terms.home, ["hooks", "allow", "--all", "--shell"])).code, 2);
});

test("on a terminal a wider entry is a new question, which shows shell and variables", { skip: noPty }, async (t) => {
  const terms = new Terms(t);
  terms.configure({ protocol: "claude", env: ["A_TOKEN"] });
  terms.approve({ note: "mine" });
  const pty = terms.home.terminal(["chat", "-q", "hello"]);
  t.after(() => pty.kill());
  await pty.see("approved without the shell (sh -c) and A_TOKEN");
  await pty.see("A_TOKEN");
  await pty.see("Allow this hook?");
  pty.type("y\r");
  assert.equal(await pty.exited, 0);
  assert.deepEqual([terms.recorded()["shell"], terms.recorded()["env"]], [true, ["A_TOKEN"]]);
  assert.equal(terms.recorded()["approved_by"], "prompt");
});
