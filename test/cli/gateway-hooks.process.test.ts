/** Gateway hooks as `hermes hooks list` and `doctor` show them: every folder, and nothing of theirs is run. */
import test from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { runInProcess } from "../helpers/in-process.ts";
import { Home } from "../helpers/hermes.ts";

/** A handler that would be noticed. */
const LOUD = 'console.log("LOUD");\nprocess.exit(7);\nexport function handle() {}\n';

function folders(home: Home): void {
  home.write("hooks/a/HOOK.yaml", "name: watcher\nevents: [agent:start, agent:end]\ntimeout_seconds: 5\n");
  home.write("hooks/a/handler.ts", LOUD);
  home.write("hooks/b/HOOK.yaml", 'events: ["command:*"]\nisolation: isolate\n');
  home.write("hooks/b/handler.js", LOUD);
  home.write("hooks/c/HOOK.yaml", "events: [agent:end]\nenabled: false\n");
  home.write("hooks/c/handler.ts", LOUD);
}

interface Listed {
  readonly event: string;
  readonly source: string;
  readonly name: string;
  readonly command: string | null;
  readonly timeout: number;
  readonly state: string;
  readonly reason: string | null;
  readonly enabled: boolean;
}

test("every event of a hook is an element, every skipped folder too; --check ends with 1 for those", async (t) => {
  const home = new Home(t);
  folders(home);
  home.write("config.yaml", "gateway: { hooks: { timeout_seconds: 12 } }\n");
  const good = await home.run(["hooks", "list", "--json", "--check"]);
  assert.equal(good.code, 0, good.stderr + good.stdout);
  const { hooks, warnings } = JSON.parse(good.stdout) as { hooks: Listed[]; warnings: string[] };
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    hooks.map(({ event, source, name, command, timeout, state, reason }) => [
      event,
      source,
      name,
      command,
      timeout,
      state,
      reason,
    ]),
    [
      ["agent:start", "worker", "watcher", null, 5, "enabled", null],
      ["agent:end", "worker", "watcher", null, 5, "enabled", null],
      ["command:*", "isolate", "b", null, 12, "enabled", null],
      ["agent:end", "worker", "c", null, 12, "disabled", null],
    ],
  );
  home.write("hooks/d/HOOK.yaml", "name: broken\nevents: [agent:end]\nmemory_mb: lots\n");
  home.write("hooks/d/handler.ts", LOUD);
  home.write("hooks/e/HOOK.yaml", "events: [agent:end]\n");
  home.write("hooks/e/handler.py", "def handle(event_type, context): pass\n");
  home.write("config.yaml", "python: /nowhere/python3\n");
  const bad = await runInProcess(home, ["hooks", "list", "--json", "--check"]);
  assert.equal(bad.code, 1);
  const skipped = (JSON.parse(bad.stdout) as { hooks: Listed[] }).hooks.filter(({ state }) => state === "skipped");
  assert.deepEqual(
    skipped.map(({ name, event, source, enabled }) => [name, event, source, enabled]),
    [
      ["d", "", "worker", false],
      ["e", "", "python", false],
    ],
  );
  assert.equal(
    skipped[0]!.reason,
    `${join(home.path, "hooks/d/HOOK.yaml")}:3: memory_mb is "lots"; expected a whole number of megabytes`,
  );
  assert.equal(
    skipped[1]!.reason,
    "there is no usable Python: python: in config.yaml names /nowhere/python3, which is not an executable file. Install Python 3.9 or newer, or name one with python: in config.yaml.",
  );
});

test("as text: a table, and the reasons below it", async (t) => {
  const home = new Home(t);
  folders(home);
  home.write("hooks/d/readme.txt", "");
  home.write("hooks/a/HOOK.yaml", "name: watcher\nevents: [agent:start]\ndescripton: x\n");
  const { stdout, stderr, code } = await runInProcess(home, ["hooks", "list"]);
  assert.equal(code, 0);
  assert.match(stdout, /^EVENT +SOURCE +COMMAND +TIMEOUT/);
  assert.match(stdout, /agent:start +worker +watcher +30 s +enabled/);
  assert.match(stdout, /agent:end +worker +c +30 s +off/);
  assert.match(stdout, /\nd is skipped: .*hooks\/d has no HOOK\.yaml\.\n$/);
  assert.match(stderr, /HOOK\.yaml:3: unknown key "descripton", ignored\. Did you mean "description"\?/);
});

test("doctor: skipped folders and code that cannot be parsed are problems, a hook that is off is none", async (t) => {
  const home = new Home(t);
  folders(home);
  const good = await runInProcess(home, ["hooks", "doctor"]);
  assert.equal(good.code, 0, good.stdout);
  assert.match(good.stdout, /✓ agent:start {2}watcher {2}\(worker\)/);
  assert.match(good.stdout, /- agent:end {2}c {2}\(worker, off\)/);
  home.write("hooks/a/HOOK.yaml", "name: watcher\nevents: [agent:start, agent:step]\n");
  home.write("hooks/a/handler.ts", "export function handle( {\n");
  home.write("hooks/c/handler.ts", "export function handle( {\n");
  home.write("hooks/d/HOOK.yaml", "events: none\n");
  home.write("hooks/e/HOOK.yaml", "events: [agent:end]\n");
  home.write("hooks/e/handler.py", `raise SystemExit("executed")\nimport not_there.x\nasync def handle(*_): pass\n`);
  const { stdout, code } = await runInProcess(home, ["hooks", "doctor"]);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /✗ agent:start {2}watcher {2}\(worker, does not load\)\n {4}problem: .*hooks\/a\/handler\.ts:\d+: /,
  );
  // Every event of the folder is marked, and the reason is said once.
  assert.match(stdout, /\n✗ agent:step {2}watcher {2}\(worker, does not load\)\n[^ ]/);
  assert.match(stdout, /✗ - {2}d {2}\(gateway hook, skipped\)\n {4}problem: .*HOOK\.yaml:1: events is "none"/);
  const missing =
    /✗ agent:end {2}e {2}\(python, does not load\)\n {4}problem: .*handler\.py:2: No module named 'not_there'. To install it: \/\S+ -m pip install not_there\n/;
  assert.match(stdout, missing);
  assert.match(stdout, /\n3 problems\.\n$/);
  const report = JSON.parse((await runInProcess(home, ["hooks", "doctor", "--json"])).stdout) as { problems: number };
  assert.equal(report.problems, 3);
});

test("what no gateway hook can break: hooks is a file", async (t) => {
  const home = new Home(t);
  home.write("hooks", "no folder");
  const { stdout, code } = await runInProcess(home, ["hooks", "list", "--json", "--check"]);
  assert.equal(code, 1);
  assert.match(stdout, /cannot be read, so there are no gateway hooks: ENOTDIR/);
});
