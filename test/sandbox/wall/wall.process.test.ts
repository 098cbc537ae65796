import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import type { WallProfile } from "#core/ports/wall";
import { runProcess, type ProcessOptions } from "#sandbox/process/run";
import { findTrusted, probe } from "#sandbox/wall/backend";
import { createWall } from "#sandbox/wall/wall";

const user = realpathSync(mkdtempSync(join(tmpdir(), "hermes-wall-")));
const home = join(user, "deep", ".hermes");
const project = join(user, "project");
mkdirSync(home, { recursive: true });
mkdirSync(project);
for (const folder of ["hooks", "plugins", "agent-hooks", "logs", "run"]) mkdirSync(join(home, folder));
const files: Readonly<Record<string, string>> = {
  "config.yaml": "model: {}\n",
  "BOOT.md": "nothing\n",
  "state.db": "conversations\n",
  "state.db-wal": "conversations\n",
  "dashboard.json": '{"hooks_ingest_token":"token"}\n',
  "shell-hooks-allowlist.json": '{"approvals":[]}\n',
  "agent-hooks/guard.sh": "#!/bin/sh\nexit 2\n",
  "logs/hermes.log": "logged\n",
  "hermes.log.1": "streamed\n",
  "all.log.sock": "streamed\n",
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
chmodSync(join(home, "agent-hooks/guard.sh"), 0o755);
const env = { PATH: process.env["PATH"], HOME: join(user, "deep"), HERMES_HOME: home, NAME: "config.yaml" };

const wallOf = (profile: WallProfile) =>
  createWall({ profile, home, workspace: project, userHome: join(user, "deep"), env });

function run(command: string, options: Partial<ProcessOptions> & { profile?: WallProfile } = {}) {
  const { profile = "guard", ...others } = options;
  return runProcess({
    argv: ["bash", "-c", command],
    cwd: project,
    env,
    timeoutMs: 60_000,
    maxOutputBytes: 100_000,
    overflow: "kill",
    wall: wallOf(profile),
    ...others,
  });
}

/** Every path below the home with its mode and content. */
function snapshot(folder = home): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      const { mode } = statSync(path);
      if (entry.isDirectory()) return [`${path} ${mode}`, ...snapshot(path)];
      return [`${path} ${mode} ${readFileSync(path, "utf8")}`];
    });
}

test("the machine has a sandbox to test", async () => {
  const { backend, reason } = await probe(process.platform, process.env);
  assert.ok(backend !== null, `These tests need the Debian package bubblewrap: ${reason}`);
});

const prepare = [
  "printf 'changed: 1\\n' > config.yaml",
  "tar -cf a.tar config.yaml && zip -q a.zip config.yaml",
  "printf -- '--- a/config.yaml\\n+++ b/config.yaml\\n@@ -1 +1 @@\\n-model: {}\\n+changed: 1\\n' > p.diff",
  "mkdir -p copy/.hermes && cp config.yaml copy/.hermes/",
  "printf 'all:\\n\\techo changed > config.yaml\\n' > Makefile",
].join("\n");

/** What an agent may try. `~` is the folder of the home. */
const ATTACKS: readonly string[] = [
  "echo x > ~/.hermes/config.yaml",
  "echo x >> $HERMES_HOME/config.yaml",
  "echo x > ~/.hermes/new.yaml",
  "touch ~/.hermes/hooks/new",
  "rm -rf ~/.hermes",
  "rm ~/.hermes/config.yaml",
  "unlink ~/.hermes/BOOT.md",
  "mv ~/.hermes ~/elsewhere",
  "mv ~ ../elsewhere; mkdir -p ~/.hermes; echo x > ~/.hermes/config.yaml",
  "mv ~/.hermes/config.yaml /tmp/",
  "mv -T copy/.hermes ~/.hermes",
  "ln -f ~/.hermes/config.yaml hard && echo x > hard",
  "ln -sf /tmp/x ~/.hermes/config.yaml",
  "ln -s ~/.hermes soft; echo x > soft/config.yaml",
  "mount --bind copy/.hermes ~/.hermes && echo x > ~/.hermes/config.yaml",
  "mount -o remount,rw ~/.hermes; echo x > ~/.hermes/config.yaml",
  "umount -l ~/.hermes; echo x > ~/.hermes/config.yaml",
  "unshare -Urm sh -c 'umount -l ~/.hermes; mount -o remount,rw,bind ~/.hermes; echo x > ~/.hermes/config.yaml'",
  "tar -C ~/.hermes -xf a.tar",
  "tar -C ~ -xf a.tar --transform 's,^,.hermes/,'",
  "unzip -qo a.zip -d ~/.hermes",
  "git -C ~ init -q; git -C ~ clean -qfdx",
  "cd ~ && git init -q && git add -A; git stash -qu",
  "patch -d ~/.hermes -p1 < p.diff",
  "cp -rT copy ~",
  "cp -r copy/. ~",
  "cp --remove-destination config.yaml ~/.hermes/",
  "install -m 777 config.yaml ~/.hermes/config.yaml",
  "make -C ~/.hermes -f $PWD/Makefile",
  "cat > ~/.hermes/config.yaml <<'END'\nit's changed\nEND",
  "cd ~/.hermes && echo x > $PWD/config.yaml",
  "cd ~/.hermes; cd /; echo x > ~-/config.yaml",
  "CDPATH=~ ; cd .hermes && echo x > config.yaml",
  'a=(~/.hermes config.yaml); echo x > "${a[0]}/${a[1]}"',
  'read -r p <<< ~/.hermes; echo x > "$p/config.yaml"',
  'n=NAME; echo x > ~/.hermes/"${!n}"',
  "set -- ~/.hermes; echo x > $1/config.yaml",
  'python3 -c \'import os; open(os.path.expanduser("~/.her" + "mes/config.yaml"), "w").write("x")\'',
  "echo ZWNobyB4ID4gfi8uaGVybWVzL2NvbmZpZy55YW1s | base64 -d | bash",
  "chmod 777 ~/.hermes ~/.hermes/config.yaml",
  "chown nobody ~/.hermes/config.yaml",
  "truncate -s 0 ~/.hermes/state.db",
  "sed -i s/model/changed/ ~/.hermes/config.yaml",
  "dd if=config.yaml of=~/.hermes/config.yaml; dd if=config.yaml of=$HERMES_HOME/BOOT.md",
  "find ~/.hermes -type f -delete",
  "rsync -a copy/.hermes/ ~/.hermes/ 2>&1",
  "echo x > /proc/1/root$HERMES_HOME/config.yaml",
  "echo x > /proc/self/cwd/../deep/.hermes/config.yaml",
  "setfattr -n user.x -v y ~/.hermes/config.yaml",
  "split -b 2 config.yaml ~/.hermes/config.yaml",
];

test("nothing in the home can be written, renamed, linked or removed", async (t) => {
  await run(prepare, { profile: "off" });
  const before = snapshot();
  for (const command of ATTACKS) {
    await t.test(command, async () => {
      await run(command);
      assert.deepEqual(snapshot(), before);
      assert.ok(existsSync(join(home, "config.yaml")));
    });
  }
});

test("the attacks work without the wall: they are real", async () => {
  const worked: string[] = [];
  for (const command of ["echo x > ~/.hermes/config.yaml", "tar -C ~/.hermes -xf a.tar", "cp -rT copy ~"]) {
    await run(command, { profile: "off" });
    if (readFileSync(join(home, "config.yaml"), "utf8") !== files["config.yaml"]) worked.push(command);
    writeFileSync(join(home, "config.yaml"), files["config.yaml"] ?? "");
  }
  assert.equal(worked.length, 3);
});

test("conversations, tokens and logs cannot be read, the rest of the home can", async () => {
  for (const name of [
    "state.db",
    "state.db-wal",
    "dashboard.json",
    "logs/hermes.log",
    "hermes.log.1",
    "all.log.sock",
  ]) {
    const { stdout } = await run(`cat ${home}/${name}`);
    assert.equal(stdout, "", name);
  }
  assert.equal((await run(`cat ${home}/config.yaml`)).stdout, files["config.yaml"]);
});

test("processes outside are not visible, and so their environment is not", async () => {
  const outside = spawn("sleep", ["60"], { env: { ...env, SECRET_OUTSIDE: "seen" } });
  try {
    const command = `cat /proc/${outside.pid}/environ /proc/$PPID/environ /proc/1/environ /proc/*/environ | tr '\\0' '\\n'`;
    const { stdout } = await run(command);
    assert.doesNotMatch(stdout, /SECRET_OUTSIDE/);
    assert.match(stdout, /^HERMES_HOME=/m);
    assert.equal((await run("ls -d /proc/[0-9]*")).stdout.split("\n").filter(Boolean).length < 10, true);
  } finally {
    outside.kill("SIGKILL");
  }
});

test("a process that leaves the group ends with its command", async () => {
  const marker = join(project, "alive");
  const { exit_code } = await run(`setsid sh -c 'while :; do date > ${marker}; sleep 0.05; done' & sleep 0.3`);
  assert.equal(exit_code, 0);
  const last = statSync(marker).mtimeMs;
  await run("sleep 0.5", { profile: "off" });
  assert.equal(statSync(marker).mtimeMs, last);
});

test("a time-out sends TERM inside, and KILL to what ignores it", async () => {
  const polite = await run("trap 'echo cleaned up; exit 7' TERM; echo on; while :; do sleep 0.05; done", {
    timeoutMs: 1000,
  });
  assert.partialDeepStrictEqual(polite, { ended: "timeout", stdout: "on\ncleaned up\n", exit_code: 7 });
  const deaf = await run("trap '' TERM; setsid sleep 60 & while :; do sleep 0.05; done", { timeoutMs: 500 });
  assert.partialDeepStrictEqual(deaf, { ended: "timeout", escaped: [] });
});

test("standard streams can be opened by name, exit codes and the working folder pass through", async () => {
  const result = await run("jq -r .a < /dev/stdin; echo no > /dev/stderr; pwd; exit 3", { stdin: '{"a":"b"}' });
  assert.partialDeepStrictEqual(result, { stdout: `b\n${project}\n`, stderr: "no\n", exit_code: 3 });
});

test("what cannot start is named as it is without a wall", async () => {
  const cases: Readonly<Record<string, Partial<ProcessOptions>>> = {
    missing: { argv: ["./missing.sh"] },
    folder: { argv: ["/tmp"] },
    cwd: { argv: ["true"], cwd: join(user, "gone") },
    nul: { argv: ["tr\0ue"] },
    empty: { argv: [""] },
    unknown: { argv: ["no-such-program"] },
  };
  writeFileSync(join(project, "crlf.sh"), "#!/bin/sh\r\nexit 0\r\n", { mode: 0o755 });
  writeFileSync(join(project, "plain.sh"), "exit 0\n", { mode: 0o644 });
  for (const options of [
    ...Object.values(cases),
    { argv: ["./crlf.sh"] as const },
    { argv: ["./plain.sh"] as const },
  ]) {
    const [walled, bare] = [await run("", options), await run("", { ...options, profile: "off" })];
    assert.equal(walled.ended, "not_started");
    assert.equal(walled.start_problem, bare.start_problem);
  }
});

test("strict profiles: what can be written, and whether there is a network", async () => {
  const probes = `touch ${project}/w ${user}/deep/w 2>/dev/null
touch ${user}-tmp && echo tmp; grep -qv ' lo\\| face\\|Inter' /proc/net/dev && echo network; cat ${home}/state.db 2>/dev/null; true`;
  // A private folder for temporary files takes writes that never reach the real one.
  const places = { project: join(project, "w"), user: join(user, "deep", "w") };
  const seen = async (profile: WallProfile) => {
    for (const path of Object.values(places)) rmSync(path, { force: true });
    const lines = (await run(probes, { profile })).stdout.split("\n").filter(Boolean);
    const written = Object.entries(places).filter(([, path]) => existsSync(path));
    return [...written.map(([name]) => name), ...lines];
  };
  const network = (await seen("off")).filter((line) => line === "network");
  assert.deepEqual(await seen("guard"), ["project", "user", "tmp", ...network]);
  assert.deepEqual(await seen("read-only"), ["tmp"]);
  assert.deepEqual(await seen("workspace"), ["project", "tmp"]);
  assert.deepEqual(await seen({ write: [join(user, "deep")] }), ["user", "tmp"]);
  assert.deepEqual(await seen({ write: [home], network: "full" }), ["tmp", ...network]);
  assert.deepEqual((await run(`echo x > ${home}/config.yaml`, { profile: { write: [home] } })).exit_code, 1);
});

test("hide takes a file and a folder out of sight", async () => {
  mkdirSync(join(project, "keys"));
  writeFileSync(join(project, "keys", "a"), "key-a");
  writeFileSync(join(project, "b.pem"), "key-b");
  const { stdout } = await run("cat keys/a b.pem", { profile: { hide: ["keys", "b.pem"] } });
  assert.equal(stdout, "");
});

test("what links in the home lead to is guarded, too", async () => {
  const dotfiles = join(user, "dotfiles");
  mkdirSync(dotfiles);
  writeFileSync(join(dotfiles, "linked.sh"), "#!/bin/sh\nexit 2\n");
  symlinkSync(join(dotfiles, "linked.sh"), join(home, "agent-hooks", "linked.sh"));
  await run(
    `echo x > ${dotfiles}/linked.sh; mv ${dotfiles} ${user}/moved; mkdir ${dotfiles}; rm -f ${dotfiles}/linked.sh`,
  );
  assert.equal(readFileSync(join(dotfiles, "linked.sh"), "utf8"), "#!/bin/sh\nexit 2\n");
});

test("a home behind a link that can be replaced is refused: a profile that is asked for runs nothing", async () => {
  symlinkSync(join(user, "deep"), join(user, "link"));
  const options = { home: join(user, "link", ".hermes"), workspace: project, userHome: user, env };
  const notes: string[] = [];
  const explicit = createWall({ ...options, profile: "guard" });
  const result = await run("echo ran", { wall: explicit });
  assert.partialDeepStrictEqual(result, { ended: "not_started", stdout: "" });
  assert.match(result.start_problem ?? "", /link is a symbolic link that this user can replace/);
  const auto = createWall({ ...options, profile: "auto", note: (sentence) => notes.push(sentence) });
  assert.equal((await run("echo ran", { wall: auto })).stdout, "ran\n");
  await run("echo ran", { wall: auto });
  assert.equal(notes.length, 1);
  assert.equal(await auto.stands(), false);
});

test("a bwrap that this user could have put into PATH is not used", () => {
  const folder = join(user, "bin");
  mkdirSync(folder);
  writeFileSync(join(folder, "fake-wall"), "#!/bin/sh\n", { mode: 0o755 });
  assert.equal(findTrusted("fake-wall", { PATH: folder }), undefined);
  assert.equal(findTrusted("sh", { PATH: folder })?.endsWith("/sh"), true);
});

test("a machine without a sandbox says what to install", async () => {
  assert.match((await probe("win32", {})).reason ?? "", /no sandbox for win32/);
});

test("a hard link that was made before still reaches the file; the page on security says so", async () => {
  writeFileSync(join(home, "hooks", "old"), "as before\n");
  linkSync(join(home, "hooks", "old"), join(project, "old"));
  await run("echo x > old");
  assert.equal(readFileSync(join(home, "hooks", "old"), "utf8"), "x\n");
});
