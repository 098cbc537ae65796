/**
 * Really runs hundreds of shell commands that try to change something in a throw-away home: under the system's sandbox
 * none may, and without it none that the guard lets through, but for what docs/tools.md says it cannot see.
 * Every run is confined by a second sandbox that makes all but the test's own folder read-only.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { homePaths } from "#core/home/paths";
import { createGuardedFiles } from "#agent/guard/files";
import { runProcess } from "#sandbox/process/run";
import { probe } from "#sandbox/wall/backend";
import { createWall } from "#sandbox/wall/wall";
import { makeForms, type Form } from "./spellings.ts";

const SEED = 20261128;

const root = realpathSync(mkdtempSync(join(tmpdir(), "hermes-spellings-")));
/** One for each command that runs at the same time: nothing is shared. */
interface Ground {
  readonly root: string;
  readonly user: string;
  readonly home: string;
  readonly work: string;
  readonly env: NodeJS.ProcessEnv;
}
const grounds: readonly Ground[] = Array.from({ length: 6 }, (_, index) => {
  const own = join(root, `ground-${index}`);
  const user = join(own, "user");
  const home = join(user, ".hermes");
  const env = { HOME: user, HERMES_HOME: home, ROOT: own, GIT_CONFIG_NOSYSTEM: "1", LC_ALL: "C" };
  return { root: own, user, home, work: join(own, "work"), env: { PATH: process.env["PATH"], ...env } };
});
const { backend } = await probe(process.platform, process.env);

const HOME_FILES: Readonly<Record<string, string>> = {
  "config.yaml": "model: {}\n",
  "state.db": "conversations\n",
  "BOOT.md": "nothing\n",
  "hooks/a": "a\n",
  "plugins/b": "b\n",
};

/** The folders as they are before each command. Only what lies in the test's own folder is removed. */
function makeGround({ user, home, work }: Ground): void {
  for (const folder of [user, work]) rmSync(folder, { recursive: true, force: true });
  for (const folder of [join(home, "hooks"), join(home, "plugins"), join(work, "tree")])
    mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(HOME_FILES)) {
    writeFileSync(join(home, name), text);
    chmodSync(join(home, name), 0o640);
  }
  writeFileSync(join(work, "payload"), "payload\n");
  writeFileSync(join(work, "where"), `${home}\n`);
  writeFileSync(join(work, "tree", "new"), "new\n");
  writeFileSync(join(work, "tree.tar"), archive);
  writeFileSync(join(work, "Makefile"), "all:\n\ttouch new\n");
  writeFileSync(join(work, "a.patch"), "--- a/config.yaml\n+++ b/config.yaml\n@@ -1 +1 @@\n-model: {}\n+changed: 1\n");
  symlinkSync(home, join(work, "alias"));
  symlinkSync(user, join(work, "above"));
}

const archive = (() => {
  const folder = mkdtempSync(join(root, "tar-"));
  writeFileSync(join(folder, "new"), "new\n");
  return execFileSync("tar", ["-C", folder, "-cf", "-", "new"]);
})();

/** Every path below the home with its mode and content. */
function snapshot(folder: string): string {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((entry) => {
      const path = join(folder, entry.name);
      const { mode } = lstatSync(path);
      if (entry.isDirectory()) return `${path} ${mode}\n${snapshot(path)}`;
      if (entry.isSymbolicLink()) return `${path} -> ${readlinkSync(path)}`;
      return `${path} ${mode} ${entry.isFile() ? readFileSync(path, "utf8") : ""}`;
    })
    .join("\n");
}

function changes(home: string, before: string): boolean {
  try {
    return snapshot(home) !== before;
  } catch {
    // The home itself has gone.
    return true;
  }
}

/** All of the machine can only be read, but for the ground. */
const confinement = (writable: string) => ["--ro-bind", "/", "/", "--dev", "/dev", "--bind", writable, writable];

async function argvOf(form: Form, ground: Ground, walled: boolean): Promise<readonly [string, ...string[]]> {
  assert.ok(backend !== null && backend.name === "bubblewrap");
  const { home, work, user, env } = ground;
  const command = ["bash", "-c", form.command] as const;
  const confined = confinement(ground.root);
  if (!walled) {
    const processes = ["--unshare-pid", "--proc", "/proc", "--die-with-parent"];
    return [backend.program, ...confined, ...processes, "--chdir", work, "--", ...command];
  }
  const wall = createWall({ profile: "guard", home, workspace: work, userHome: user, env });
  const enclosed = await wall.enclose({ argv: [...command], cwd: work });
  assert.ok(enclosed !== null && !("problem" in enclosed));
  // The wall's own mounts come after what confines the test, as they come after the whole machine otherwise.
  const [program, open, from, to, ...mounts] = enclosed.argv;
  assert.deepEqual([open, from, to], ["--dev-bind", "/", "/"]);
  return [program, ...confined, ...mounts];
}

/** Runs a command on fresh ground; true when it changed something in the home. */
async function attacks(form: Form, ground: Ground, walled: boolean): Promise<boolean> {
  makeGround(ground);
  const before = snapshot(ground.home);
  await runProcess({
    argv: await argvOf(form, ground, walled),
    cwd: ground.work,
    env: ground.env,
    timeoutMs: 60_000,
    maxOutputBytes: 100_000,
    overflow: "truncate",
  });
  return changes(ground.home, before);
}

/** Tries every form, one at a time on each ground. */
async function tryAll(forms: readonly Form[], one: (form: Form, ground: Ground) => Promise<void>): Promise<void> {
  const waiting = [...forms];
  await Promise.all(
    grounds.map(async (ground) => {
      for (let form = waiting.pop(); form !== undefined; form = waiting.pop()) await one(form, ground);
    }),
  );
}

const describe = (form: Form) => `${form.of.join(" × ")}: ${JSON.stringify(form.command)}`;

/** Tests with every kind of form at least once, and this many random combinations: `least` forms in all. */
export function testSpellings(random: number, least: number): void {
  const forms = makeForms(random, SEED);

  test("the machine has a sandbox, and there are enough forms", () => {
    assert.ok(backend !== null, "These tests need the Debian package bubblewrap");
    assert.ok(forms.length >= least);
    assert.deepEqual(makeForms(random, SEED), forms);
  });

  test("under the sandbox no form changes anything in the home", async () => {
    const broken: string[] = [];
    await tryAll(forms, async (form, ground) => {
      if (await attacks(form, ground, true)) broken.push(describe(form));
    });
    assert.deepEqual(broken, []);
  });

  test("without the sandbox, no form that the guard lets through changes anything, and the forms are real", async () => {
    const broken: string[] = [];
    const harmless: string[] = [];
    let real = 0;
    let blind = 0;
    await tryAll(forms, async (form, ground) => {
      makeGround(ground);
      const { home, user, work, env } = ground;
      const guard = createGuardedFiles([homePaths(home, env)], { home: user, env });
      const passed = (await guard.refuseCommand(form.command, work)) === null;
      const changed = await attacks(form, ground, false);
      if (changed) real += 1;
      else harmless.push(describe(form));
      if (!passed || !changed) return;
      if (form.blind === null) broken.push(describe(form));
      else blind += 1;
    });
    assert.deepEqual(broken, []);
    assert.ok(real > forms.length * 0.8, `only ${real} of ${forms.length} do anything:\n${harmless.join("\n")}`);
    assert.ok(blind > 0, "what docs/tools.md names is still there");
  });
}
