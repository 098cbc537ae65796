/** `hermes hooks doctor`: a person is told of each mistake, and nothing runs that is not approved (CONTRACT §6). */
import assert from "node:assert/strict";
import { appendFileSync, chmodSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { runInProcess } from "../helpers/in-process.ts";
import { Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";

interface Examined {
  readonly event: string;
  readonly name: string;
  readonly command: string | null;
  readonly exit_code: number | null;
  readonly duration_ms: number | null;
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

interface Report {
  readonly code: number | null;
  readonly hooks: readonly Examined[];
  readonly general: readonly string[];
  readonly problems: number;
  readonly notes: readonly string[];
}

async function doctor(home: Home, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Report> {
  const { code, stdout, stderr } = await runInProcess(home, ["hooks", "doctor", "--json", ...args], { env });
  assert.equal(stderr, "");
  const report = JSON.parse(stdout) as Omit<Report, "code">;
  const counted = report.general.length + report.hooks.flatMap(({ problems }) => problems).length;
  assert.equal(report.problems, counted);
  assert.equal(code, counted === 0 ? 0 : 1);
  return { ...report, code };
}

const FINE = "cat >/dev/null\nprintf '{}'\n";

/** A home whose `pre_tool_call` has these entries, written in YAML's flow style. */
function withEntries(context: TestContext, entries: readonly string[], more = ""): Home {
  const home = new Home(context);
  home.script("fine.sh", FINE);
  home.write("config.yaml", `hooks:\n  pre_tool_call:\n${entries.map((entry) => `    - ${entry}\n`).join("")}${more}`);
  return home;
}

const GUARD = "{ command: ~/.hermes/agent-hooks/fine.sh, matcher: terminal, fail_closed: true }";
const allowAll = (home: Home) => runInProcess(home, ["hooks", "allow", "--all"]);

test("a valid home has no problems; the script ran and its time is shown", async (context) => {
  const home = withEntries(context, [GUARD]);
  await allowAll(home);
  const { hooks, notes, general } = await doctor(home);
  assert.deepEqual([hooks.length, hooks[0]?.exit_code, notes, general], [1, 0, [], []]);
  assert.ok((hooks[0]?.duration_ms ?? 0) > 0);
  assert.deepEqual([hooks[0]?.problems, hooks[0]?.notes], [[], []]);
  const { code, stdout } = await home.run(["hooks", "doctor"]);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /✓ pre_tool_call \[terminal\] {2}~\/\.hermes\/agent-hooks\/fine\.sh {2}\(shell, exit code 0, \d+ ms\)/,
  );
  assert.match(stdout, /No problems\.\n$/);
});

test("a home without hooks is in order", async (context) => {
  const home = new Home(context);
  assert.deepEqual((await doctor(home)).hooks, []);
  assert.match((await runInProcess(home, ["hooks", "doctor"])).stdout, /No hooks are configured\./);
});

test("an unapproved script is a problem and never runs; neither does one in safe mode", async (context) => {
  const home = withEntries(context, ["{ command: ~/.hermes/agent-hooks/marks.sh, fail_closed: true }"]);
  const mark = join(home.work, "ran");
  home.script("marks.sh", `touch '${mark}'\n${FINE}`);
  const { hooks } = await doctor(home);
  assert.match(hooks[0]?.problems.join() ?? "", /not approved.*blocks every call.*hermes hooks allow pre_tool_call '~/);
  assert.deepEqual([hooks[0]?.exit_code, existsSync(mark)], [null, false]);
  await allowAll(home);
  assert.match((await doctor(home, ["--safe-mode"])).notes.join(), /Safe mode/);
  assert.equal(existsSync(mark), false);
  await doctor(home);
  assert.equal(existsSync(mark), true);
});

test("drift: a changed script and a missing one", async (context) => {
  const home = withEntries(context, [GUARD]);
  await allowAll(home);
  appendFileSync(join(home.path, "agent-hooks/fine.sh"), "# edited\n");
  assert.match((await doctor(home)).hooks[0]?.problems.join() ?? "", /changed since you approved it/);
  rmSync(join(home.path, "agent-hooks/fine.sh"));
  assert.match((await doctor(home)).hooks[0]?.problems.join() ?? "", /does not exist/);
});

const UNABLE: readonly (readonly [what: string, text: string, mode: number, told: RegExp])[] = [
  ["is not executable", "#!/bin/sh\n", 0o644, /not executable: .*chmod \+x/],
  ["has no interpreter", "#!/no/such/interpreter\n", 0o755, /interpreter of .* is missing: "?\/no\/such/],
  [
    "has Windows line ends",
    "#!/bin/sh\r\nexit 0\r\n",
    0o755,
    /has Windows line endings, so its interpreter is not found \(run: sed/,
  ],
  ["has no interpreter in PATH", "#!/usr/bin/env no-such-program\n", 0o755, /no-such-program/],
];
for (const [what, text, mode, told] of UNABLE) {
  test(`a script that ${what}, before and after its approval`, async (context) => {
    const home = withEntries(context, ["{ command: ~/.hermes/agent-hooks/unable.sh, fail_closed: true }"]);
    home.write("agent-hooks/unable.sh", text, mode);
    assert.match((await doctor(home)).hooks[0]?.problems.join() ?? "", told);
    await allowAll(home);
    const { hooks } = await doctor(home);
    assert.match(hooks[0]?.problems.join() ?? "", told);
    assert.equal(hooks[0]?.problems.length, 1);
  });
}

/** With the deadline in seconds: short only for the script that is late. */
const MISTAKES: readonly (readonly [what: string, text: string, told: RegExp, timeout?: number])[] = [
  ["prints no JSON", "echo hello\n", /not one JSON object: hello/],
  ["prints an array", "echo '[1]'\n", /an array/],
  ["says an unknown verb", `echo '{"decision":"deny"}'\n`, /unknown verb "deny"/],
  ["fails", "echo why >&2\nexit 7\n", /exit code 7: why/],
  ["takes too long", "sleep 600\n", /within 1 s/, 1],
];
for (const [what, text, told, timeout = 30] of MISTAKES) {
  test(`an approved script that ${what} is a problem`, async (context) => {
    const home = withEntries(context, [`{ command: ~/.hermes/agent-hooks/mistaken.sh, timeout: ${timeout} }`]);
    home.script("mistaken.sh", `cat >/dev/null\n${text}`);
    await allowAll(home);
    const [hook] = (await doctor(home)).hooks;
    assert.match(hook?.problems.join() ?? "", told);
    assert.equal(hook?.problems.length, 1);
    assert.match(hook?.notes.join() ?? "", /If this guard fails, the call is allowed/);
  });
}

test("matchers: known tools, tools of plugins and mcp tools are fine, others are not", async (context) => {
  const matchers = [
    "read_.*",
    "terminl",
    "delegate_task",
    "draw",
    "paint",
    "mcp__git__.*",
    "Bash|Edit",
    "terminal|paths",
    "mcp_notes_.*",
    "mcp_none_.*",
  ];
  const home = withEntries(
    context,
    matchers.map((matcher) => `{ command: ~/.hermes/agent-hooks/fine.sh, fail_closed: true, matcher: "${matcher}" }`),
    "plugins: { enabled: [art] }\nmcp_servers: { git: { command: x }, my-notes: { command: x }, notes: { url: 'http://x.example' } }\n",
  );
  const manifest = (name: string, tool: string) => ({ manifest: `name: ${name}\nprovides_tools: [${tool}]\n` });
  home.plugin("art", "export function register() {}", manifest("art", "draw"));
  home.plugin("oil", "export function register() {}", manifest("oil", "paint"));
  await allowAll(home);
  const { hooks } = await doctor(home);
  assert.deepEqual(
    hooks.map(({ problems, notes }) => [problems.length, notes.length]),
    [
      [0, 0],
      [1, 0],
      [0, 0],
      [0, 0],
      [0, 1],
      [0, 0],
      [1, 0],
      [0, 1],
      [0, 0],
      [0, 1],
    ],
  );
  assert.match(hooks[9]?.notes[0] ?? "", /no tool of a configured MCP server\. Configured: git, my-notes, notes\./);
  assert.match(hooks[1]?.problems[0] ?? "", /terminl matches no known tool\. Did you mean "terminal"\?/);
  assert.match(hooks[4]?.notes[0] ?? "", /plugin that is not enabled/);
  assert.match(hooks[6]?.problems[0] ?? "", /names tools as Claude Code does.*use terminal\|patch/);
  assert.match(hooks[7]?.notes[0] ?? "", /paths, which is not a known tool/);
});

test("a script that seems to be written for Claude Code is a problem", async (context) => {
  const home = withEntries(context, ["{ command: ~/.hermes/agent-hooks/other.sh, fail_closed: true }"]);
  home.script("other.sh", `tool=$(jq -r .tool_name)\nif [ "$tool" = "Bash" ]; then exit 2; fi\n`);
  const found = (await doctor(home)).hooks[0]?.problems.join() ?? "";
  assert.match(found, /seems to be written for Claude Code .*silently allow everything.*protocol: claude/);
});

test("each bad entry is a separate problem with its position", async (context) => {
  const home = withEntries(context, [
    GUARD,
    "{ comand: x }",
    "{ command: ~/.hermes/agent-hooks/fine.sh, timeout: 301 }",
  ]);
  appendFileSync(join(home.path, "config.yaml"), "  pre_tool_cal: []\ncolour: red\n");
  await allowAll(home);
  const { hooks, general } = await doctor(home);
  assert.deepEqual(
    hooks.map(({ problems }) => problems.length),
    [0, 1, 2],
  );
  assert.match(hooks.find(({ command }) => command === null)?.problems.join() ?? "", /hooks\.pre_tool_call\[1\]/);
  assert.match(general.join("\n"), /colour[^]*hooks\.pre_tool_cal.*Did you mean/);
});

test("around the hooks: the allowlist's state and approvals that nothing uses", async (context) => {
  const home = withEntries(context, [GUARD]);
  await allowAll(home);
  await runInProcess(home, ["hooks", "allow", "post_llm_call", "old.sh"]);
  const file = join(home.path, "shell-hooks-allowlist.json");
  chmodSync(file, 0o644);
  const { notes, problems } = await doctor(home);
  assert.equal(problems, 0);
  assert.match(
    notes.join("\n"),
    /Other users can read[^]*old\.sh \(post_llm_call\) is not used by any configured hook/,
  );
  chmodSync(file, 0o666);
  assert.match((await doctor(home)).general.join(), /is writable by other users/);
  home.write("shell-hooks-allowlist.json", "{");
  assert.match((await doctor(home)).general.join(), /not valid JSON/);
});

test("plugins that cannot be loaded are problems, and none of their code is executed", async (context) => {
  const home = new Home(context);
  const mark = join(home.work, "ran");
  const entry = `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(mark)}, "");`;
  home.plugin("guard", entry, { manifest: "name: guard\nprovides_hooks: [pre_tool_call, pre_tol_call]\n" });
  home.plugin("needs", entry, { manifest: "name: needs\nrequires_env: [NO_SUCH]\nrequires_plugins: [gone]\n" });
  home.plugin("broken", entry, { manifest: "name: [\n" });
  home.plugin("unwanted", entry, { manifest: "name: [\n" });
  home.write("config.yaml", "plugins: { enabled: [guard, needs, broken, absent] }\n");
  const { general, notes } = await doctor(home);
  const told = general.join("\n");
  for (const words of [/"guard".*pre_tol_call.*Did you mean/, /NO_SUCH/, /"gone"/, /"broken".*YAML/, /"absent"/]) {
    assert.match(told, words);
  }
  for (const words of [/"unwanted"/, /"guard".*on_error: block/]) assert.match(notes.join("\n"), words);
  assert.equal(existsSync(mark), false);
});

test("a configuration that is wrong is 2; Ctrl+C is 130", async (context) => {
  const home = withEntries(context, ["{ command: ~/.hermes/agent-hooks/slow.sh }"]);
  const mark = join(home.work, "ran");
  home.script("slow.sh", `touch '${mark}'\nsleep 600\n`);
  await allowAll(home);
  const running = home.start(["hooks", "doctor"]);
  await until(() => existsSync(mark), "the script runs");
  running.kill("SIGINT");
  assert.equal((await running.ended).code, 130);
  home.write("config.yaml", "hooks: {\n");
  assert.equal((await runInProcess(home, ["hooks", "doctor"])).code, 2);
});
