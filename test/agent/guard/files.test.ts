import assert from "node:assert/strict";
import { linkSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { guardedPaths, homePaths } from "#core/home/paths";
import { createGuardedFiles, type GuardedFiles } from "#agent/guard/files";

interface Place {
  readonly root: string;
  readonly home: string;
  readonly project: string;
  readonly guard: GuardedFiles;
}

/** A user's home with an empty program home in it and a project beside; `linked` puts the home behind a link. */
function makePlace(options: { linked?: boolean; extra?: readonly string[] } = {}): Place {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "hermes-guard-")));
  const real = join(root, options.linked === true ? "elsewhere" : ".hermes");
  const home = join(root, ".hermes");
  const project = join(root, "project");
  mkdirSync(real);
  if (options.linked === true) symlinkSync(real, home);
  mkdirSync(project);
  const env = { HOME: root };
  const guard = createGuardedFiles(guardedPaths(homePaths(home, env)), {
    home: root,
    env,
    extra: () => options.extra ?? [],
  });
  return { root, home, project, guard };
}

test("a guarded file is refused before it exists, its neighbours are not", () => {
  const { guard, home, project } = makePlace();
  for (const name of [
    "config.yaml",
    "cli-config.yaml",
    "shell-hooks-allowlist.json",
    "hooks",
    "plugins",
    "agent-hooks",
  ]) {
    assert.match(String(guard.refuse(join(home, name), project)), /off limits/, name);
  }
  assert.match(String(guard.refuse(join(home, "plugins", "a", "index.ts"), project)), /off limits/);
  for (const name of ["logs/hermes.log", "config.yaml.bak", "BOOT.md", "hooks-notes.md"]) {
    assert.equal(guard.refuse(join(home, name), project), null, name);
  }
  assert.equal(guard.refuse("config.yaml", project), null);
});

test("other spellings of a guarded file are refused", () => {
  const { guard, home, project } = makePlace();
  mkdirSync(join(home, "hooks"));
  for (const path of [
    "../.hermes/config.yaml",
    "../.hermes/./config.yaml",
    `${home}//config.yaml`,
    `${home}/config.yaml/`,
    `${home}/hooks/`,
    `${home}/hooks/../config.yaml`,
    `${home}/missing/../config.yaml`,
    `/proc/self/root${home}/config.yaml`,
  ]) {
    assert.match(String(guard.refuse(path, project)), /off limits/, path);
  }
  assert.match(String(guard.refuse("config.yaml", home)), /off limits/);
});

test("links lead nowhere: to the file, to its folder, dangling, chained, hard, and with .. behind them", () => {
  const { guard, home, project } = makePlace();
  symlinkSync(join(home, "config.yaml"), join(project, "dangling"));
  assert.match(String(guard.refuse("dangling", project)), /off limits/);
  writeFileSync(join(home, "config.yaml"), "a: 1\n");
  mkdirSync(join(home, "hooks"));
  symlinkSync("dangling", join(project, "chained"));
  symlinkSync("../.hermes", join(project, "folder"));
  symlinkSync("../.hermes/hooks", join(project, "hooks-link"));
  linkSync(join(home, "config.yaml"), join(project, "hard"));
  for (const path of [
    "dangling",
    "chained",
    "folder/config.yaml",
    "folder/plugins/x",
    "hooks-link/../config.yaml",
    "hard",
  ]) {
    assert.match(String(guard.refuse(path, project)), /off limits/, path);
  }
  assert.equal(guard.refuse("folder/logs", project), null);
});

test("a home behind a link is guarded under both names", () => {
  const { guard, root, home, project } = makePlace({ linked: true });
  assert.match(String(guard.refuse(join(home, "config.yaml"), project)), /off limits/);
  assert.match(String(guard.refuse(join(root, "elsewhere", "config.yaml"), project)), /off limits/);
  assert.match(String(guard.refuseCommand("rm -f ../elsewhere/shell-hooks-allowlist.json", project)), /off limits/);
});

test("what links inside the guarded folders lead to is guarded too", () => {
  const { guard, home, project } = makePlace();
  mkdirSync(join(home, "agent-hooks"));
  mkdirSync(join(project, "my-plugin"));
  writeFileSync(join(project, "guard.sh"), "#!/bin/sh\n");
  symlinkSync(join(project, "guard.sh"), join(home, "agent-hooks", "guard.sh"));
  mkdirSync(join(home, "plugins"));
  symlinkSync(join(project, "my-plugin"), join(home, "plugins", "my-plugin"));
  symlinkSync("/", join(home, "plugins", "everything"));
  assert.match(String(guard.refuse("guard.sh", project)), /off limits/);
  assert.match(String(guard.refuse("my-plugin/index.ts", project)), /off limits/);
  assert.equal(guard.refuse("other.sh", project), null);
});

test("a configuration that is itself a link guards its target", () => {
  const { guard, root, home, project } = makePlace();
  symlinkSync(join(root, "dotfiles.yaml"), join(home, "config.yaml"));
  assert.match(String(guard.refuse(join(root, "dotfiles.yaml"), project)), /off limits/);
});

test("extra paths are asked for at every judgement", () => {
  const extra: string[] = [];
  const { guard, project } = makePlace({ extra });
  assert.equal(guard.refuse("check.py", project), null);
  extra.push(join(project, "check.py"));
  assert.match(String(guard.refuse("check.py", project)), /off limits/);
});

test("a circle of links is judged and ends", () => {
  const { guard, project } = makePlace();
  symlinkSync("b", join(project, "a"));
  symlinkSync("a", join(project, "b"));
  assert.equal(guard.refuse("a/x", project), null);
});
