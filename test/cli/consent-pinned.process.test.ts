/** `hooks_consent: pinned` as a person sees it: list, test, doctor, the log, the conversation (CONTRACT §5). */
import assert from "node:assert/strict";
import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { framesOf, Home, type Ended } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { noPty } from "../helpers/pty.ts";

const COMMAND = "~/.hermes/agent-hooks/guard.sh";
const ALLOWLIST = "shell-hooks-allowlist.json";

/** A guard that blocks with its own bytes' mark, its original path and its private one. */
const guard = (mark: string) => `#!/bin/sh
cat >/dev/null
printf '{"action":"block","message":"%s %s %s"}' ${mark} "$HERMES_HOOK_SCRIPT" "$0"
`;

interface Guarded {
  readonly home: Home;
  readonly script: string;
  /** What the one hook of a turn that calls a tool did. */
  turn(...options: readonly string[]): Promise<{ outcome: unknown; detail: string; ended: Ended }>;
  listed(): Promise<{ allowed: unknown; drift: unknown }>;
}

function pinned(context: TestContext, extra = ""): Guarded {
  const home = new Home(context);
  const script = home.script("guard.sh", guard("first"));
  home.write("config.yaml", `hooks_consent: pinned\nhooks: { pre_tool_call: [{ command: "${COMMAND}"${extra} }] }\n`);
  return {
    home,
    script,
    async turn(...options) {
      const ended = await home.run([...options, "chat", "-q", "run `echo reached`", "--output-format", "stream-json"]);
      const hook = framesOf(ended).find(({ type }) => type === "hook");
      return { outcome: hook?.["outcome"], detail: `${JSON.stringify(hook)} ${ended.stderr}`, ended };
    },
    async listed() {
      const { hooks } = JSON.parse((await runInProcess(home, ["hooks", "list", "--json"])).stdout) as {
        hooks: { allowed: unknown; drift: unknown }[];
      };
      return { allowed: hooks[0]?.allowed, drift: hooks[0]?.drift };
    },
  };
}

test("what runs is the private copy; HERMES_HOOK_SCRIPT is the script's own path", async (context) => {
  const { home, script, turn, listed } = pinned(context);
  assert.equal((await runInProcess(home, ["hooks", "allow", "--all"])).code, 0);
  assert.deepEqual(await listed(), { allowed: true, drift: "none" });
  const { ended } = await turn();
  assert.match(ended.stdout, new RegExp(`first ${script} ${home.path}/approved-hooks/[0-9a-f]{64}/guard\\.sh`));
  assert.doesNotMatch(ended.stdout, /"output":"reached/);
});

test("a changed script does not run: list, test, doctor and the log say so; allow approves it again", async (context) => {
  const { home, script, turn, listed } = pinned(context);
  await runInProcess(home, ["hooks", "allow", "--all"]);
  const before = home.read(ALLOWLIST);
  writeFileSync(script, guard("second"));

  const open = await turn();
  assert.equal(open.outcome, "error");
  assert.match(open.detail, /guard\.sh has changed since it was approved.*hermes hooks allow pre_tool_call/);
  assert.match(open.ended.stdout, /reached/, "a gate that may fail open lets the call through");
  assert.match(open.ended.stderr, /1 shell hook has changed since approval and will not run/);
  assert.match(home.read("logs/hermes.log"), /has changed since it was approved/);
  assert.match(home.read("logs/hooks.jsonl"), /"outcome":"error"/);

  assert.deepEqual(await listed(), { allowed: false, drift: "modified" });
  assert.match((await runInProcess(home, ["hooks", "list"])).stdout, /not allowed, script modified/);
  assert.equal((await runInProcess(home, ["hooks", "list", "--check"])).code, 1);
  const doctor = await home.run(["hooks", "doctor"]);
  assert.equal(doctor.code, 1);
  assert.match(doctor.stdout, /changed since you approved it.*hermes hooks allow/);

  const tested = await home.run(["hooks", "test", "pre_tool_call"]);
  assert.equal(tested.code, 0, tested.stderr);
  assert.match(tested.stdout, new RegExp(`second ${script} ${script}`), "it runs, as it is");
  assert.match(tested.stderr, /has changed since it was approved/);
  assert.equal(home.read(ALLOWLIST), before);

  const again = await home.run(["hooks", "allow", "pre_tool_call", COMMAND, "--json"]);
  assert.deepEqual(JSON.parse(again.stdout), {
    approved: [{ event: "pre_tool_call", command: COMMAND }],
    already_approved: [],
  });
  assert.deepEqual(await listed(), { allowed: true, drift: "none" });
  assert.match((await turn()).ended.stdout, /second/);
  assert.equal(readdirSync(join(home.path, "approved-hooks")).length, 1);
  await runInProcess(home, ["hooks", "revoke", COMMAND]);
  assert.deepEqual(readdirSync(join(home.path, "approved-hooks")), []);
});

test("a gate with fail_closed blocks when its script has changed", async (context) => {
  const { home, script, turn } = pinned(context, ", fail_closed: true");
  await runInProcess(home, ["hooks", "allow", "--all"]);
  appendFileSync(script, "# edited\n");
  const { outcome, detail, ended } = await turn();
  assert.equal(outcome, "block");
  assert.match(detail, /"cause":"error"/);
  assert.match(ended.stderr, /Until it is approved again, every matching call is blocked \(fail_closed\)/);
  assert.doesNotMatch(ended.stdout, /"output":"reached/);
});

for (const [name, args, env, config] of [
  ["--accept-hooks", ["--accept-hooks"], {}, ""],
  ["HERMES_ACCEPT_HOOKS", [], { HERMES_ACCEPT_HOOKS: "1" }, ""],
  ["hooks_auto_accept", [], {}, "hooks_auto_accept: true\n"],
] as const) {
  test(`${name} approves and pins what is new, but does not renew what has changed`, async (context) => {
    const { home, script } = pinned(context);
    home.write("config.yaml", home.read("config.yaml") + config);
    const turn = () => home.run([...args, "chat", "-q", "run `echo reached`"], { env });
    assert.match((await turn()).stdout, /first .*approved-hooks/);
    const before = home.read(ALLOWLIST);
    writeFileSync(script, guard("second"));
    const changed = await turn();
    assert.doesNotMatch(changed.stdout + changed.stderr, /second/);
    assert.match(changed.stderr, /1 shell hook has changed since approval and will not run/);
    assert.equal(home.read(ALLOWLIST), before);
  });
}

test("an approval without a hash is treated as changed, and so is one for other bytes", async (context) => {
  const { home, turn, listed } = pinned(context, ", fail_closed: true");
  for (const extra of [{}, { script_sha256: "0".repeat(64) }, { script_sha256: 5 }]) {
    home.write(
      ALLOWLIST,
      JSON.stringify({ approvals: [{ event: "pre_tool_call", command: COMMAND, ...extra }] }),
      0o600,
    );
    assert.deepEqual(await listed(), { allowed: false, drift: "modified" });
    const { outcome, ended } = await turn("--accept-hooks");
    assert.equal(outcome, "block");
    assert.doesNotMatch(ended.stdout, /first/);
  }
});

test(
  "on a terminal a changed script is asked about again, and a yes renews the approval",
  { skip: noPty },
  async (context) => {
    const { home, script, turn } = pinned(context);
    await runInProcess(home, ["hooks", "allow", "--all"]);
    writeFileSync(script, guard("second"));
    const pty = home.terminal(["chat", "-q", "run `echo reached`"]);
    context.after(() => pty.kill());
    await pty.see("A file of this shell hook changed since you approved it");
    await pty.see("Allow this hook?");
    pty.type("y\r");
    assert.equal(await pty.exited, 0);
    assert.match(pty.output(), /second/);
    assert.match(home.read(ALLOWLIST), /"approved_by": "prompt"/);
    assert.equal((await turn()).outcome, "block");
  },
);

test("inline code is pinned by the command itself", async (context) => {
  const home = new Home(context);
  const command = `sh -c 'cat >/dev/null; echo "{\\"action\\":\\"block\\",\\"message\\":\\"inline\\"}"'`;
  home.write(
    "config.yaml",
    `hooks_consent: pinned\nhooks:\n  pre_tool_call:\n    - command: ${JSON.stringify(command)}\n`,
  );
  home.write(ALLOWLIST, JSON.stringify({ approvals: [{ event: "pre_tool_call", command }] }), 0o600);
  assert.match((await home.run(["chat", "-q", "run `echo reached`"])).stdout, /inline/);
});

test("an earlier python3 in PATH does not win", async (context) => {
  const { home } = pinned(context);
  const folders = ["late", "early"].map((name) => join(home.work, name));
  const evidence = join(home.work, "earlier-interpreter-ran");
  const [late, early] = folders.map((folder) => {
    mkdirSync(folder);
    return join(folder, "python3");
  });
  const write = (path: string, text: string) => {
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  };
  // Stands for Python: it runs a script as sh does.
  write(late!, `#!/bin/sh\nexec /bin/sh "$@"\n`);
  home.script("guard.sh", guard("pinned").replace("#!/bin/sh", "#!/usr/bin/env python3"));
  const env = { PATH: `${folders.toReversed().join(":")}:${process.env["PATH"]}` };
  await runInProcess(home, ["hooks", "allow", "--all"], { env });
  write(early!, `#!/bin/sh\n: > ${evidence}\nexec /bin/sh "$@"\n`);
  const { stdout } = await home.run(["chat", "-q", "run `echo reached`"], { env });
  assert.match(stdout, /pinned .*approved-hooks/);
  assert.equal(existsSync(evidence), false);
});

test("a script for Claude Code is pinned too, although its protocol starts it through a shell", async (context) => {
  const { home } = pinned(context);
  const script = home.script("claude.sh", `cat >/dev/null; echo "first $0" >&2; exit 2\n`);
  home.write(
    "config.yaml",
    `hooks_consent: pinned\nhooks: { pre_tool_call: [{ command: "${script}", protocol: claude, fail_closed: true }] }\n`,
  );
  await runInProcess(home, ["hooks", "allow", "--all"]);
  const turn = () => home.run(["chat", "-q", "run `echo reached`"]);
  assert.match((await turn()).stdout, /first .*approved-hooks/);
  writeFileSync(script, readFileSync(script, "utf8").replace("first", "other"));
  const { stdout, stderr } = await turn();
  assert.match(stderr, /has changed since it was approved/);
  assert.doesNotMatch(stdout + stderr, /other \//);
});

test("other files of the command are pinned; list says what is not; pin_ignore exempts data", async (context) => {
  const home = new Home(context);
  home.script("guard.sh", guard("first"));
  const rules = home.write("agent-hooks/rules.json", "{}");
  const state = home.write("agent-hooks/state.json", "{}");
  const command = "~/.hermes/agent-hooks/guard.sh --rules=~/.hermes/agent-hooks/rules.json ".replaceAll(
    "=~/.hermes",
    `=${home.path}`,
  );
  const entry = { command: `${command}${state}`, pin_ignore: ["~/.hermes/agent-hooks/state.json"] };
  const inline = { command: "sh -c 'cat >/dev/null'" };
  home.write("config.yaml", `hooks_consent: pinned\nhooks: { pre_tool_call: ${JSON.stringify([entry, inline])} }\n`);
  await runInProcess(home, ["hooks", "allow", "--all"]);
  const turn = () => home.run(["chat", "-q", "run `echo reached`"]);
  writeFileSync(state, "edited");
  assert.match((await turn()).stdout, /first/);
  writeFileSync(rules, "edited");
  const { stdout, stderr } = await turn();
  assert.doesNotMatch(stdout, /first/);
  assert.match(stderr, /rules\.json has changed since it was approved/);
  const { hooks } = JSON.parse((await runInProcess(home, ["hooks", "list", "--json"])).stdout) as {
    hooks: { drift: string; allowed: boolean; unpinned: string | null }[];
  };
  assert.deepEqual(
    hooks.map(({ drift, allowed }) => [drift, allowed]),
    [
      ["modified", false],
      ["none", true],
    ],
  );
  assert.equal(hooks[0]!.unpinned, null);
  assert.match(String(hooks[1]!.unpinned), /pinned as part of the command/);
  assert.match(
    (await runInProcess(home, ["hooks", "list"])).stdout,
    /sh -c .*: Its code is pinned as part of the command/,
  );
  assert.match((await home.run(["hooks", "doctor"])).stdout, /changed since you approved it/);
});
