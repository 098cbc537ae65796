import test from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { runInProcess } from "../helpers/in-process.ts";
import { Home, ROOT } from "../helpers/hermes.ts";

const GOOD = "export function register() {}\n";

test("new writes a plugin that type-checks and runs, enables nothing and overwrites nothing", async (t) => {
  const home = new Home(t);
  const made = await runInProcess(home, ["plugins", "new", "demo"]);
  assert.equal(made.code, 0, made.stderr);
  assert.deepEqual(
    ["plugins/demo/plugin.yaml", "plugins/demo/index.ts", "plugins/tsconfig.json"].map((file) => home.has(file)),
    [true, true, true],
  );
  assert.equal(home.has("config.yaml"), false);
  assert.deepEqual(await listed(home), [
    { name: "demo", directory: "demo", state: "not_enabled", hooks: [], tools: [], commands: [] },
  ]);
  execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", join(home.path, "plugins")], { cwd: home.work });

  const before = home.read("plugins/demo/index.ts");
  const again = await runInProcess(home, ["plugins", "new", "demo"]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /demo already exists; nothing was written/);
  assert.equal(home.read("plugins/demo/index.ts"), before);

  assert.equal((await runInProcess(home, ["plugins", "enable", "demo"])).code, 0);
  assert.deepEqual(await listed(home), [
    {
      name: "demo",
      directory: "demo",
      state: "enabled",
      hooks: ["pre_tool_call", "post_tool_call"],
      tools: [],
      commands: ["calls"],
    },
  ]);
  // Should the guard fail, rm refuses the option and deletes nothing.
  const outcomeOf = async (command: string) => {
    const { stdout } = await home.run(["chat", "-q", `run \`${command}\``, "--output-format", "stream-json"]);
    return /"hook".*"event":"pre_tool_call".*"name":"demo","outcome":"(\w+)"/.exec(stdout)?.[1];
  };
  assert.equal(await outcomeOf("rm -rf --no-such-option /"), "block");
  assert.equal(await outcomeOf("rm -rf /nowhere-at-all"), "pass");
});

test("a name that is none is wrong usage", async (t) => {
  const home = new Home(t);
  const { code, stderr } = await runInProcess(home, ["plugins", "new", "../evil"]);
  assert.equal(code, 2);
  assert.match(stderr, /"\.\.\/evil" is not a valid plugin name/);
  assert.equal(home.has("plugins"), false);
});

test("enable and disable keep comments, order and mode", async (t) => {
  const home = new Home(t);
  home.plugin("guard", GOOD);
  home.plugin("notes", GOOD, { manifest: "name: my-notes\n" });
  const text = `# my settings
model:
  provider: offline   # no network

plugins:
  # the ones I trust
  enabled:
    - other   # gone
  callback_timeout_seconds: 5
hooks: {}
`;
  home.write("config.yaml", text, 0o640);
  const enabled = await runInProcess(home, ["plugins", "enable", "guard"]);
  assert.equal(enabled.code, 0, enabled.stderr);
  const lines = home.read("config.yaml").split("\n");
  for (const part of ["# my settings", "# no network", "  # the ones I trust", "# gone", "    - guard"]) {
    assert.ok(
      lines.some((line) => line.includes(part)),
      `${part} in\n${lines.join("\n")}`,
    );
  }
  assert.deepEqual(
    lines.filter((line) => /^\w/.test(line)).map((line) => line.split(":")[0]),
    ["model", "plugins", "hooks"],
  );
  assert.equal(statSync(join(home.path, "config.yaml")).mode & 0o777, 0o640);

  const again = await runInProcess(home, ["plugins", "enable", "guard"]);
  assert.deepEqual([again.code, again.stdout], [0, 'The plugin "guard" is already enabled.\n']);

  // By folder; the name is what is written.
  await runInProcess(home, ["plugins", "enable", "notes"]);
  await runInProcess(home, ["plugins", "disable", "guard"]);
  const states = (await listed(home)).map(({ name, state }) => [name, state]);
  assert.deepEqual(states, [
    ["guard", "disabled"],
    ["my-notes", "enabled"],
  ]);
  assert.doesNotMatch(home.read("config.yaml"), /enabled:[^]*- guard[^]*disabled:/);
  await runInProcess(home, ["plugins", "enable", "guard"]);
  assert.equal((await listed(home))[0]!["state"], "enabled");
  // A plugin that is gone can still be taken out.
  assert.equal((await runInProcess(home, ["plugins", "disable", "other"])).code, 0);
});

test("enable makes a config.yaml of 0600, and refuses what is not there with 3", async (t) => {
  const home = new Home(t);
  home.plugin("guard", GOOD);
  const unknown = await runInProcess(home, ["plugins", "enable", "gaurd"]);
  assert.equal(unknown.code, 3);
  assert.match(unknown.stderr, /There is no plugin "gaurd"\. Did you mean "guard"\?/);
  assert.equal((await runInProcess(home, ["plugins", "disable", "nothing-like-it"])).code, 3);
  assert.equal(home.has("config.yaml"), false);
  await runInProcess(home, ["plugins", "enable", "guard"]);
  assert.equal(statSync(join(home.path, "config.yaml")).mode & 0o777, 0o600);
});

test("list shows what does not load, and why", async (t) => {
  const home = new Home(t);
  home.plugin("bad", "export function register() {}\nenum No { A }\n");
  home.plugin("good", GOOD);
  home.plugin("snake", "def register(ctx): pass\n", { file: "__init__.py" });
  home.plugin("worm", "def registr(ctx): pass\n", { file: "__init__.py" });
  home.write("config.yaml", "plugins: { enabled: [bad, good, snake, worm] }\n");
  const { code, stdout, stderr } = await runInProcess(home, ["plugins", "list"]);
  assert.equal(code, 0);
  assert.match(stdout, /bad +error +.*bad\/index\.ts:2: TypeScript enum is not supported/);
  assert.match(stdout, /good +enabled/);
  assert.match(stderr, /warning: plugin "bad" was not loaded/);
  assert.match(stdout, /snake +enabled/);
  assert.match(stdout, /worm +error +.*does not define a function "register"/);
});

async function listed(home: Home): Promise<Record<string, unknown>[]> {
  const { stdout, stderr } = await runInProcess(home, ["plugins", "list", "--json"]);
  assert.ok(stdout.startsWith("{"), stderr);
  const { plugins } = JSON.parse(stdout) as { plugins: Record<string, unknown>[] };
  return plugins.filter(({ directory }) => directory !== "builtin");
}
