import assert from "node:assert/strict";
import { linkSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { homePaths } from "#core/home/paths";
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
  const guard = createGuardedFiles([homePaths(home, env)], {
    home: root,
    env,
    scripts: () => ({ all: options.extra ?? [], gates: options.extra ?? [] }),
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
    assert.match(String(guard.refuse(join(home, name), project, "read")), /off limits/, name);
  }
  assert.match(String(guard.refuse(join(home, "plugins", "a", "index.ts"), project, "read")), /off limits/);
  for (const name of ["config.yaml.bak", "BOOT.md", "hooks-notes.md", "run/x"]) {
    assert.equal(guard.refuse(join(home, name), project, "read"), null, name);
  }
  assert.equal(guard.refuse("config.yaml", project, "read"), null);
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
    assert.match(String(guard.refuse(path, project, "read")), /off limits/, path);
  }
  assert.match(String(guard.refuse("config.yaml", home, "read")), /off limits/);
});

test("links lead nowhere: to the file, to its folder, dangling, chained, hard, and with .. behind them", () => {
  const { guard, home, project } = makePlace();
  symlinkSync(join(home, "config.yaml"), join(project, "dangling"));
  assert.match(String(guard.refuse("dangling", project, "read")), /off limits/);
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
    assert.match(String(guard.refuse(path, project, "read")), /off limits/, path);
  }
  assert.equal(guard.refuse("folder/run", project, "read"), null);
});

test("a home behind a link is guarded under both names", async () => {
  const { guard, root, home, project } = makePlace({ linked: true });
  assert.match(String(guard.refuse(join(home, "config.yaml"), project, "read")), /off limits/);
  assert.match(String(guard.refuse(join(root, "elsewhere", "config.yaml"), project, "read")), /off limits/);
  assert.match(
    String(await guard.refuseCommand("rm -f ../elsewhere/shell-hooks-allowlist.json", project)),
    /off limits/,
  );
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
  assert.match(String(guard.refuse("guard.sh", project, "read")), /off limits/);
  assert.match(String(guard.refuse("my-plugin/index.ts", project, "read")), /off limits/);
  assert.equal(guard.refuse("other.sh", project, "read"), null);
});

test("a configuration that is itself a link guards its target", () => {
  const { guard, root, home, project } = makePlace();
  symlinkSync(join(root, "dotfiles.yaml"), join(home, "config.yaml"));
  assert.match(String(guard.refuse(join(root, "dotfiles.yaml"), project, "read")), /off limits/);
});

test("extra paths are asked for at every judgement", () => {
  const extra: string[] = [];
  const { guard, project } = makePlace({ extra });
  assert.equal(guard.refuse("check.py", project, "read"), null);
  extra.push(join(project, "check.py"));
  assert.match(String(guard.refuse("check.py", project, "read")), /off limits/);
});

test("a circle of links is judged and ends", () => {
  const { guard, project } = makePlace();
  symlinkSync("b", join(project, "a"));
  symlinkSync("a", join(project, "b"));
  assert.equal(guard.refuse("a/x", project, "read"), null);
});

test("conversations, tokens and logs cannot be read, under any name", () => {
  const { guard, home, project } = makePlace();
  mkdirSync(join(home, "logs"));
  writeFileSync(join(home, "state.db"), "conversations");
  writeFileSync(join(home, "logs", "hermes.log"), "logged");
  linkSync(join(home, "state.db"), join(project, "hard"));
  linkSync(join(home, "logs", "hermes.log"), join(project, "hard-log"));
  symlinkSync(join(home, "logs"), join(project, "soft"));
  const names = [
    "state.db",
    "state.db-wal",
    "state.db-shm",
    "dashboard.json",
    "logs",
    "logs/hermes.log.1",
    "hermes.log",
    "hermes.log.1",
  ];
  for (const path of [...names.map((name) => join(home, name)), "hard", "hard-log", "soft/hooks.jsonl"]) {
    assert.match(String(guard.refuse(path, project, "read")), /off limits/, path);
  }
});

test("nothing in the home can be written, whether it exists or not, and what its links lead to", () => {
  const { guard, root, home, project } = makePlace();
  mkdirSync(join(home, "skills"));
  mkdirSync(join(root, "skill-of-mine"));
  symlinkSync(join(root, "skill-of-mine"), join(home, "skills", "mine"));
  symlinkSync(join(home, "new-folder"), join(project, "dangling"));
  const names = [
    "",
    "BOOT.md",
    "new.txt",
    "new-folder/deep.txt",
    "run/x",
    "skills/mine/x",
    "shell-hooks-allowlist.json.lock",
  ];
  const paths = [...names.map((name) => join(home, name)), "dangling/x", "../skill-of-mine/x", "../.hermes/x/../y"];
  for (const path of paths) assert.match(String(guard.refuse(path, project, "write")), /off limits/, path);
  assert.equal(guard.refuse("own.txt", project, "write"), null);
  assert.equal(guard.refuse(join(root, "other", "x"), project, "write"), null);
});

test("a project in the home cannot be written, and the message says what to do", async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "hermes-guard-")));
  const project = join(root, "project");
  mkdirSync(project);
  const guard = createGuardedFiles([homePaths(root, {})], { home: "/nowhere", env: {} });
  const refusal = String(guard.refuse("notes.txt", project, "write"));
  assert.match(refusal, /off limits.*hermes's home.*move it out or set HERMES_HOME to another folder/);
  assert.ok(refusal.includes(root));
  assert.equal(guard.refuse("notes.txt", project, "read"), null);
  assert.match(String(await guard.refuseCommand("npm test", project)), /off limits.*move it out or set HERMES_HOME/);
  assert.equal(await guard.refuseCommand("ls", project), null);
});

test("the home of a hermes around this one is guarded, too", async () => {
  const { root, home, project } = makePlace();
  const inner = join(root, "inner");
  const guard = createGuardedFiles([homePaths(inner, {}), homePaths(home, {})], { home: root, env: {} });
  for (const folder of [inner, home]) {
    assert.match(String(guard.refuse(join(folder, "new"), project, "write")), /off limits/);
    assert.match(String(await guard.refuseCommand(`touch ${folder}/new`, project)), /off limits/);
  }
});

test("a hook that blocks nothing has a script that can be read, not written", async () => {
  const { root, home, project } = makePlace();
  const script = join(project, "log.sh");
  writeFileSync(script, "#!/bin/sh\n");
  const guard = createGuardedFiles([homePaths(home, {})], {
    home: root,
    env: {},
    scripts: () => ({ all: [script], gates: [] }),
  });
  assert.equal(guard.refuse("log.sh", project, "read"), null);
  assert.match(String(guard.refuse("log.sh", project, "write")), /off limits.*no script of its hooks/);
  for (const walled of [true, false]) {
    assert.equal(await guard.refuseCommand("cat log.sh", project, { walled }), null);
    assert.match(String(await guard.refuseCommand("echo x >> log.sh", project, { walled })), /off limits/);
    assert.match(String(await guard.refuseCommand("sed -i s/a/b/ ./log.sh", project, { walled })), /off limits/);
  }
  assert.equal(await guard.refuseCommand('rm -rf "$x/y"', project, { walled: true }), null);
});
