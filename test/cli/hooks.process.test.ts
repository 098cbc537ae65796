/** `hermes hooks list|test|allow|revoke` as a person and a script see them (CONTRACT §6). */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFileSync, chmodSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { promisify } from "node:util";
import { runInProcess } from "../helpers/in-process.ts";
import { Home, ROOT, type Ended } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";

type Fields = Record<string, unknown>;

interface Listing {
  readonly hooks: readonly Fields[];
  readonly warnings: readonly string[];
}

const list = async (home: Home): Promise<Listing> =>
  JSON.parse((await runInProcess(home, ["hooks", "list", "--json"])).stdout) as Listing;
const ALLOWLIST = "shell-hooks-allowlist.json";

/** A home with a guard at pre_tool_call, and the guard's command. */
function guarded(context: TestContext, extra = ""): { home: Home; command: string; script: string } {
  const home = new Home(context);
  const script = home.script("guard.sh", `cat >/dev/null\nprintf '{"decision":"block","reason":"no"}'\n`);
  const command = "~/.hermes/agent-hooks/guard.sh";
  home.write(
    "config.yaml",
    `hooks:\n  pre_tool_call:\n    - { command: "${command}", matcher: terminal, timeout: 5 }\n${extra}`,
  );
  return { home, command, script };
}

test("list: a home without hooks", async (context) => {
  const home = new Home(context);
  assert.deepEqual(await list(home), { hooks: [], warnings: [] });
  const { stdout, code } = await runInProcess(home, ["hooks", "list"]);
  assert.match(stdout, /No hooks are configured/);
  assert.equal(code, 0);
});

test("list: every field, before and after the approval", async (context) => {
  const { home, command } = guarded(context);
  const fields = {
    event: "pre_tool_call",
    source: "shell",
    command,
    matcher: "terminal",
    timeout: 5,
    fail_closed: false,
  };
  const [before] = (await list(home)).hooks;
  assert.deepEqual({ ...before, ...fields, allowed: false, approved_at: null, drift: "unknown" }, before);
  assert.equal((await runInProcess(home, ["hooks", "allow", "pre_tool_call", command])).code, 0);
  const [after] = (await list(home)).hooks;
  assert.deepEqual({ ...after, ...fields, allowed: true, drift: "none" }, after);
  assert.match(String(after?.["approved_at"]), /^\d{4}-.*Z$/);
});

test("list: the table for people has no colour when it is piped", async (context) => {
  const { home } = guarded(context);
  const { stdout } = await runInProcess(home, ["hooks", "list"]);
  assert.match(stdout, /^EVENT +SOURCE +COMMAND +MATCHER/);
  assert.match(stdout, /pre_tool_call +shell +~\/\.hermes\/agent-hooks\/guard\.sh +terminal +5 s +allow +not allowed/);
  assert.equal(stdout.includes("\u001b"), false);
});

test("list --check ends with 1 for an unapproved hook, a changed or missing script and a warning", async (context) => {
  const { home, command, script } = guarded(context);
  const check = async () => (await runInProcess(home, ["hooks", "list", "--check", "--json"])).code;
  assert.equal(await check(), 1, "not approved");
  await runInProcess(home, ["hooks", "allow", "pre_tool_call", command]);
  assert.equal(await check(), 0);
  appendFileSync(script, "# edited\n");
  assert.equal((await list(home)).hooks[0]?.["drift"], "modified");
  assert.equal(await check(), 1, "edited");
  rmSync(script);
  assert.equal((await list(home)).hooks[0]?.["drift"], "missing");
  assert.equal(await check(), 1, "gone");

  const { home: other } = guarded(context, "  pre_tool_cal: []\n");
  await runInProcess(other, ["hooks", "allow", "--all"]);
  assert.match((await list(other)).warnings.join(), /hooks\.pre_tool_cal.*Did you mean "pre_tool_call"/);
  assert.equal((await runInProcess(other, ["hooks", "list", "--check"])).code, 1);
});

test("list: plugins' hooks come from their manifests, and none of their code runs", async (context) => {
  const home = new Home(context);
  const sentinel = join(home.work, "ran");
  home.plugin("watcher", `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(sentinel)}, "");`, {
    manifest: "name: watcher\nprovides_hooks: [pre_tool_call, post_llm_call]\n",
  });
  home.write("config.yaml", "plugins: { enabled: [watcher] }\n");
  const { hooks } = await list(home);
  assert.deepEqual(
    hooks.map(({ event, source, name, command }) => [event, source, name, command]),
    [
      ["pre_tool_call", "plugin", "watcher", null],
      ["post_llm_call", "plugin", "watcher", null],
    ],
  );
  assert.equal(existsSync(sentinel), false);
  assert.equal((await runInProcess(home, ["hooks", "list", "--check"])).code, 0);
});

test("allow --all approves what is configured; approving again keeps the first", async (context) => {
  const { home, command } = guarded(
    context,
    '  on_session_start: [{ command: "echo {}" }, { command: "a", enabled: false }]\n',
  );
  assert.equal((await runInProcess(home, ["hooks", "allow", "--all"])).code, 0);
  const { hooks } = await list(home);
  assert.deepEqual(
    hooks.map(({ command: line, allowed }) => [line, allowed]),
    [
      [command, true],
      ["echo {}", true],
      ["a", false],
    ],
  );
  const before = home.read(ALLOWLIST);
  assert.match((await runInProcess(home, ["hooks", "allow", "--all"])).stdout, /Already approved/);
  assert.equal(home.read(ALLOWLIST), before);
  assert.equal(statSync(join(home.path, ALLOWLIST)).mode & 0o777, 0o600);
  assert.match(before, /"approved_by": "command"/);
});

test("allow before it is configured works, with a note", async (context) => {
  const home = new Home(context);
  const { code, stderr, stdout } = await runInProcess(home, ["hooks", "allow", "pre_tool_call", "later.sh", "--json"]);
  assert.equal(code, 0);
  assert.match(stderr, /later\.sh \(pre_tool_call\) is not configured/);
  assert.deepEqual(JSON.parse(stdout), {
    approved: [{ event: "pre_tool_call", command: "later.sh" }],
    already_approved: [],
  });
});

test("revoke forgets a command at every event; 3 when there was none", async (context) => {
  const { home, command } = guarded(context);
  await runInProcess(home, ["hooks", "allow", "pre_tool_call", command]);
  await runInProcess(home, ["hooks", "allow", "post_tool_call", command]);
  const mistyped = await runInProcess(home, ["hooks", "revoke", "~/.hermes/agent-hooks/gard.sh"]);
  assert.equal(mistyped.code, 3);
  assert.match(mistyped.stderr, /Did you mean "~\/\.hermes\/agent-hooks\/guard\.sh"/);
  const { code, stdout } = await runInProcess(home, ["hooks", "revoke", command]);
  assert.equal(code, 0);
  assert.match(stdout, /Revoked 2 approvals/);
  assert.equal((await runInProcess(home, ["hooks", "revoke", command])).code, 3);
});

test("an unknown event is 2, with a hint; so are missing arguments", async (context) => {
  const { home } = guarded(context);
  for (const args of [
    ["test", "pre_tool_cal"],
    ["allow", "pre_tool_cal", "x"],
  ]) {
    const { code, stderr } = await runInProcess(home, ["hooks", ...args]);
    assert.equal(code, 2);
    assert.match(stderr, /Did you mean "pre_tool_call"\?/);
  }
  assert.match((await runInProcess(home, ["hooks", "test", "agent:start"])).stderr, /gateway hooks/);
  for (const args of [
    ["allow"],
    ["allow", "pre_tool_call"],
    ["allow", "pre_tool_call", "a 'b"],
    ["allow", "pre_tool_call", "x", "--all"],
  ]) {
    assert.equal((await runInProcess(home, ["hooks", ...args])).code, 2, args.join(" "));
  }
});

const UNUSABLE: readonly (readonly [what: string, make: (home: Home, file: string) => void])[] = [
  ["cannot be parsed", (home) => void home.write(ALLOWLIST, "{")],
  ["is a directory", (_home, file) => mkdirSync(file)],
  ["is a symlink", (home, file) => symlinkSync(home.write("elsewhere.json", '{"approvals":[]}'), file)],
];
for (const [what, make] of UNUSABLE) {
  test(`an allowlist that ${what} is reported by every command, and allow ends with 1`, async (context) => {
    const { home, command } = guarded(context);
    make(home, join(home.path, ALLOWLIST));
    const { hooks, warnings } = await list(home);
    assert.equal(hooks[0]?.["allowed"], false);
    assert.match(warnings.join(), /shell-hooks-allowlist\.json .*not overwritten/);
    for (const args of [
      ["allow", "pre_tool_call", command],
      ["revoke", command],
    ]) {
      const { code, stderr } = await runInProcess(home, ["hooks", ...args]);
      assert.equal(code, 1);
      assert.match(stderr, /not overwritten/);
    }
    for (const args of [["list"], ["test", "pre_tool_call"]]) {
      assert.match((await runInProcess(home, ["hooks", ...args])).stderr, /not overwritten/, args.join(" "));
    }
  });
}

test("list: an allowlist that others may write is ignored", async (context) => {
  const { home, command } = guarded(context);
  chmodSync(home.write(ALLOWLIST, JSON.stringify({ approvals: [{ event: "pre_tool_call", command }] })), 0o666);
  const { hooks, warnings } = await list(home);
  assert.equal(hooks[0]?.["allowed"], false);
  assert.match(warnings.join(), /is writable by other users/);
});

const testedIn = ({ stdout }: Ended): Tested => JSON.parse(stdout) as Tested;

interface Tested {
  readonly event: string;
  readonly results: readonly Fields[];
}

test("test runs every matching hook, approved or not, and records nothing", async (context) => {
  const { home, command } = guarded(context, "");
  const modifier = home.script("modify.sh", `cat >/dev/null\nprintf '{"action":"modify","args":{"timeout":1}}'\n`);
  home.write(
    "config.yaml",
    `hooks:
  pre_tool_call:
    - { command: "${command}", matcher: terminal }
    - { command: "${modifier}" }
    - { command: "exit-code", matcher: read_file }
    - { command: "echo", enabled: false }
`,
  );
  const ended = await runInProcess(home, ["hooks", "test", "pre_tool_call", "--json"]);
  assert.equal(ended.code, 0);
  const { event, results } = testedIn(ended);
  assert.equal(event, "pre_tool_call");
  assert.deepEqual(
    results.map(({ duration_ms, ...rest }) => [typeof duration_ms, rest]),
    [
      [
        "number",
        {
          command,
          protocol: "hermes",
          exit_code: 0,
          stdout: '{"decision":"block","reason":"no"}',
          stderr: "",
          timed_out: false,
          error: null,
          answer: { action: "block", message: "no" },
        },
      ],
      [
        "number",
        {
          command: modifier,
          protocol: "hermes",
          exit_code: 0,
          stdout: '{"action":"modify","args":{"timeout":1}}',
          stderr: "",
          timed_out: false,
          error: null,
          answer: { action: "modify", args: { timeout: 1 } },
        },
      ],
    ],
  );
  assert.equal(home.has(ALLOWLIST), false);
});

test("test: what goes wrong is an error with its reason, and the command ends with 1", async (context) => {
  const home = new Home(context);
  const slow = home.script("slow.sh", "sleep 60\n");
  home.write(
    "config.yaml",
    `hooks: { pre_tool_call: [{ command: "${slow}", timeout: 1 }, { command: ./gone.sh, fail_closed: true }] }\n`,
  );
  const ended = await runInProcess(home, ["hooks", "test", "pre_tool_call", "--json"]);
  assert.equal(ended.code, 1);
  const [timedOut, gone] = testedIn(ended).results;
  assert.deepEqual([timedOut?.["timed_out"], timedOut?.["exit_code"], timedOut?.["answer"]], [true, null, null]);
  assert.match(String(timedOut?.["error"]), /within 1 s/);
  assert.match(String(gone?.["error"]), /not found: \.\/gone\.sh/);
  assert.deepEqual(Object.keys(gone?.["answer"] ?? {}), ["action", "message"]);
});

test("test: where nothing matches, it says for which tool it looked", async (context) => {
  const home = new Home(context);
  home.write(
    "config.yaml",
    "hooks: { pre_tool_call: [{ command: 'true', matcher: patch }, { command: 'true', matcher: Edit, protocol: claude }] }\n",
  );
  const none = await runInProcess(home, ["hooks", "test", "pre_tool_call"]);
  const sentence =
    "No configured shell hook matches pre_tool_call for the tool terminal; with protocol: claude, Bash. Use --for-tool to name another one.\n";
  assert.deepEqual([none.stdout, none.code], [sentence, 0]);
  const json = await runInProcess(home, ["hooks", "test", "pre_tool_call", "--for-tool", "web", "--json"]);
  assert.deepEqual(JSON.parse(json.stdout), { event: "pre_tool_call", results: [] });
  assert.equal(
    json.stderr,
    "No configured shell hook matches pre_tool_call for the tool web. Use --for-tool to name another one.\n",
  );
  const turn = await runInProcess(home, ["hooks", "test", "pre_llm_call"]);
  assert.equal(turn.stdout, "No configured shell hook matches pre_llm_call.\n");
});

test("test: updatedToolOutput is the answer", async (context) => {
  const home = new Home(context);
  const command = `cat >/dev/null; echo '{"hookSpecificOutput":{"updatedToolOutput":{"output":"x"}}}'`;
  home.write("config.yaml", `hooks: { post_tool_call: [{ command: ${JSON.stringify(command)}, protocol: claude }] }\n`);
  const { stdout } = await runInProcess(home, ["hooks", "test", "post_tool_call", "--json"]);
  const [result] = (JSON.parse(stdout) as { results: { answer: unknown }[] }).results;
  assert.deepEqual(result?.answer, { text: '{"output":"x"}' });
});

test("test: --for-tool and --payload-file shape the payload", async (context) => {
  const home = new Home(context);
  home.write(
    "config.yaml",
    "hooks: { pre_tool_call: [{ command: dd of=/dev/stderr status=none, matcher: write_file }] }\n",
  );
  const file = home.write("payload.json", '{"args":{"path":"é"},"task_id":"mine"}');
  assert.deepEqual(testedIn(await runInProcess(home, ["hooks", "test", "pre_tool_call", "--json"])).results, []);
  const args = ["hooks", "test", "pre_tool_call", "--for-tool", "write_file", "--payload-file", file, "--json"];
  const [result] = testedIn(await home.run(args)).results;
  const payload = JSON.parse(String(result?.["stderr"])) as Fields;
  assert.equal(payload["tool_name"], "write_file");
  assert.deepEqual(payload["tool_input"], { path: "é" });
  assert.equal((payload["extra"] as Fields)["task_id"], "mine");
  for (const text of ["[1]", "{", '"x"']) {
    const { code, stderr } = await runInProcess(home, [
      "hooks",
      "test",
      "pre_tool_call",
      "--payload-file",
      home.write("bad.json", text),
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /bad\.json is not a valid payload/);
  }
  assert.equal((await runInProcess(home, ["hooks", "test", "pre_tool_call", "--payload-file", "/no/such"])).code, 2);
});

test("test: a payload may come late on standard input", async (context) => {
  const home = new Home(context);
  home.write("config.yaml", "colour: blue\nhooks: { pre_tool_call: [{ command: dd of=/dev/stderr status=none }] }\n");
  // The warning about the unknown key is printed before the payload is read.
  const late = 'until [ -s warned ]; do sleep 0.05; done; printf \'{"args":{"command":"late"}}\'';
  const hermes = `"${process.execPath}" "${join(ROOT, "cli/bin.js")}" hooks test pre_tool_call --payload-file - --json`;
  const { stdout } = await promisify(execFile)("bash", ["-c", `(${late}) | ${hermes} 2> warned`], {
    cwd: home.work,
    env: home.env(),
  });
  const [result] = (JSON.parse(stdout) as { results: Fields[] }).results;
  assert.deepEqual((JSON.parse(String(result?.["stderr"])) as Fields)["tool_input"], { command: "late" });
});

test("test: Ctrl+C ends it with 130", async (context) => {
  const home = new Home(context);
  const sentinel = join(home.work, "started");
  const slow = home.script("slow.sh", `touch ${sentinel}\necho started >&2\nsleep 60\n`);
  home.write("config.yaml", `hooks: { pre_tool_call: [{ command: "${slow}" }] }\n`);
  const running = home.start(["hooks", "test", "pre_tool_call"]);
  await until(() => existsSync(sentinel), "the hook has started");
  running.kill("SIGINT");
  assert.equal((await running.ended).code, 130);
});
