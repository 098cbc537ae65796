/** docs/command-sandbox.md: its commands run, its configurations are valid, its table says what the profiles do. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { WALL_PROFILES } from "#core/ports/wall";
import { countBlocks, examplesOf, readPage } from "../helpers/examples.ts";
import { Home, ROOT } from "../helpers/hermes.ts";

const PAGE = "docs/command-sandbox.md";

test("every block of the page is tested", () => {
  for (const language of ["sh", "yaml"]) assert.equal(countBlocks(PAGE, language), examplesOf(PAGE, language).size);
});

test("the commands show the profiles and that the home is read-only", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "model: { provider: offline }\n");
  const [check = "", run = ""] = examplesOf(PAGE, "sh").get("sandbox-check")!.split("\n");
  const words = (line: string) => line.replace(/ +#.*$/, "").replace(/^hermes /, "");
  const checked = await home.run([...words(check).split(" "), "--json"]);
  assert.equal(checked.code, 0, `Install the Debian package bubblewrap: ${checked.stdout}`);
  const report = JSON.parse(checked.stdout) as Record<string, unknown>;
  assert.deepEqual(Object.keys(report), ["available", "backend", "reason", "profiles"]);
  assert.deepEqual(report["profiles"], WALL_PROFILES);

  const command = /^sandbox run -- sh -c '(.+)'$/.exec(words(run))?.[1];
  assert.ok(command);
  const failed = await home.run(["sandbox", "run", "--", "sh", "-c", command]);
  assert.notEqual(failed.code, 0);
  assert.match(failed.stderr, /Read-only file system/);
  assert.equal(home.read("config.yaml"), "model: { provider: offline }\n");
});

test("sandbox run ends with the command's exit code and keeps to the profile", async (t) => {
  const home = new Home(t);
  assert.equal((await home.run(["sandbox", "run", "--", "sh", "-c", "exit 7"])).code, 7);
  assert.equal((await home.run(["sandbox", "run", "--profile", "read-only", "--", "touch", "file"])).code, 1);
  assert.equal((await home.run(["sandbox", "run", "--profile", "workspace", "--", "touch", "file"])).code, 0);
  assert.ok(existsSync(join(home.work, "file")));
  const wrong = await home.run(["sandbox", "run", "--profile", "workspce", "--", "true"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /Did you mean "workspace"\?/);
  assert.equal((await home.run(["sandbox", "run", "--", "no-such-program"])).code !== 0, true);
});

test("the configurations are valid, and the hook runs under its own profile", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", examplesOf(PAGE, "yaml").get("sandbox-config")!);
  assert.equal((await home.run(["config", "check"])).code, 0);
  const hook = examplesOf(PAGE, "yaml").get("sandbox-hook")!;
  home.write("agent-hooks/report.sh", "#!/bin/sh\ncat > ~/reports/last; cat ~/secret > ~/stolen; true\n", 0o755);
  home.write("../reports/.keep", "");
  home.write("config.yaml", hook.replace("~/.hermes", home.path));
  const ran = await home.run(["--accept-hooks", "chat", "-q", '@terminal {"command":"true"}']);
  assert.equal(ran.code, 0, ran.stderr);
  assert.ok(existsSync(join(home.path, "../reports/last")), ran.stderr);
  assert.ok(!existsSync(join(home.path, "../stolen")));
});

test("a path to write that does not exist is an error, not a silent loss", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "sandbox: { tools: { write: [~/gone] } }\nmodel: { provider: offline }\n");
  const { stdout } = await home.run(["chat", "-q", '@terminal {"command":"true"}']);
  assert.match(stdout, /cannot be used: .*gone does not exist/);
});

test("a profile that is none is an error of the configuration, and a broken entry of a hook", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "sandbox: { tools: gard }\n");
  assert.equal((await home.run(["config", "check"])).code, 2);
  home.write(
    "config.yaml",
    "hooks: { pre_tool_call: [{ command: 'true', sandbox: gard, fail_closed: true }] }\nmodel: { provider: offline }\n",
  );
  const blocked = await home.run(["--accept-hooks", "chat", "-q", '@terminal {"command":"touch ran"}']);
  assert.match(blocked.stderr, /its sandbox "gard" is not a profile/);
  assert.ok(!existsSync(join(home.work, "ran")));
});

test("the table names every profile", () => {
  const page = readPage(PAGE);
  for (const profile of WALL_PROFILES) assert.ok(page.includes(`| \`${profile}\``), profile);
  assert.ok(readPage("README.md").includes("docs/command-sandbox.md"));
  assert.ok(existsSync(join(ROOT, PAGE)));
});
