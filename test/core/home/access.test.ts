import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { findAccessProblem, type Access } from "#core/home/access";
import { loadConfig } from "#core/home/config";
import { homePaths } from "#core/home/paths";

const ME = 1000;
const OTHER = 1001;
const HOME = "/nowhere/me/.hermes";

/** What is wrong with a path, where files and folders have the owner and mode given here, else mine and 0755. */
function problemOf(path: string, tree: Readonly<Record<string, Partial<Access>>>, home = HOME): string | null {
  const look = (one: string) => ({ uid: ME, mode: 0o755, ...tree[one] });
  return findAccessProblem(path, { home, look, user: ME });
}

const CONFIG = `${HOME}/config.yaml`;
const PLUGIN = `${HOME}/plugins/p/index.ts`;

test("what is mine or root's, and not open to everyone, is safe", () => {
  assert.equal(problemOf(CONFIG, {}), null);
  assert.equal(problemOf(CONFIG, { [CONFIG]: { uid: 0 }, [HOME]: { uid: 0 } }), null);
  assert.equal(problemOf(CONFIG, { [CONFIG]: { mode: 0o664 }, [HOME]: { mode: 0o775 } }), null, "the group may write");
  assert.equal(problemOf(CONFIG, { "/nowhere/me": { uid: OTHER, mode: 0o777 } }), null, "above the home");
});

test("another owner is named with the chown that cures it, for each folder up to the home", () => {
  assert.match(
    problemOf(CONFIG, { [CONFIG]: { uid: OTHER } })!,
    /config\.yaml belongs to .*uid 1001.*chown 1000 \S*yaml$/,
  );
  for (const one of [PLUGIN, `${HOME}/plugins/p`, `${HOME}/plugins`, HOME]) {
    assert.match(problemOf(PLUGIN, { [one]: { uid: OTHER } })!, new RegExp(`^${one} belongs to another user`));
  }
});

test("what everyone may write is named with the chmod that cures it, for each folder up to the home", () => {
  for (const one of [PLUGIN, `${HOME}/plugins/p`, `${HOME}/plugins`, HOME]) {
    for (const mode of [0o777, 0o666, 0o602]) {
      assert.match(
        problemOf(PLUGIN, { [one]: { mode } })!,
        new RegExp(`^everyone can write ${one}\\..*chmod o-w ${one}$`),
      );
    }
  }
});

test("a sticky folder is safe for an entry of mine or root's only", () => {
  const sticky = { [`${HOME}/plugins`]: { mode: 0o1777 } };
  assert.equal(problemOf(PLUGIN, sticky), null);
  assert.equal(problemOf(PLUGIN, { ...sticky, [`${HOME}/plugins/p`]: { uid: 0 } }), null);
  assert.match(problemOf(PLUGIN, { ...sticky, [`${HOME}/plugins/p`]: { uid: OTHER } })!, /belongs to another user/);
  assert.match(problemOf(`${HOME}/plugins`, sticky)!, /everyone can write/, "anybody may add to the folder itself");
});

test("outside the home only the file and its folder are looked at, and any owner is fine", () => {
  const script = "/srv/shared/guard.sh";
  assert.equal(problemOf(script, { [script]: { uid: OTHER }, "/srv": { mode: 0o777 } }), null);
  assert.match(problemOf(script, { [script]: { mode: 0o777 } })!, /everyone can write \/srv\/shared\/guard\.sh/);
  assert.match(problemOf(script, { "/srv/shared": { mode: 0o777 } })!, /everyone can write \/srv\/shared\./);
  assert.equal(problemOf(script, { "/srv/shared": { mode: 0o1777 } }), null);
  assert.match(problemOf(script, { "/srv/shared": { mode: 0o1777 }, [script]: { uid: OTHER } })!, /everyone can write/);
});

test("a path that does not exist has no problem of its own; a path with blanks is quoted", () => {
  const look = (one: string) => (one.endsWith("guard.sh") ? undefined : { uid: ME, mode: 0o755 });
  assert.equal(findAccessProblem(`${HOME}/guard.sh`, { home: HOME, look, user: ME }), null);
  assert.match(problemOf(`${HOME}/it's a`, { [`${HOME}/it's a`]: { mode: 0o777 } })!, /chmod o-w '.*it'\\''s a'$/);
});

function temporary(context: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "hermes-access-")));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("links are followed: the file behind one, and its folder, count", (context) => {
  const folder = temporary(context);
  const home = join(folder, "home");
  mkdirSync(home);
  mkdirSync(join(folder, "open"));
  writeFileSync(join(folder, "open/config.yaml"), "");
  symlinkSync(join(folder, "open/config.yaml"), join(home, "config.yaml"));
  assert.equal(findAccessProblem(join(home, "config.yaml"), { home }), null);
  chmodSync(join(folder, "open"), 0o777);
  assert.match(findAccessProblem(join(home, "config.yaml"), { home })!, /everyone can write .*open\./);
});

test("a home that is reached by a link is checked like any other", (context) => {
  const folder = temporary(context);
  mkdirSync(join(folder, "real/agent-hooks"), { recursive: true });
  writeFileSync(join(folder, "real/agent-hooks/guard.sh"), "");
  symlinkSync(join(folder, "real"), join(folder, "home"));
  chmodSync(join(folder, "real"), 0o777);
  for (const path of ["home/agent-hooks/guard.sh", "real/agent-hooks/guard.sh"]) {
    const problem = findAccessProblem(join(folder, path), { home: join(folder, "home") });
    assert.match(problem!, /everyone can write/, path);
  }
});

test("a configuration that everyone may write, or in such a home, is an error with exit code 2", async (context) => {
  const home = temporary(context);
  for (const name of ["config.yaml", "cli-config.yaml"]) {
    const file = join(home, name);
    writeFileSync(file, "agent: { max_iterations: 3 }\n");
    assert.equal((await loadConfig(homePaths(home))).values.agent.max_iterations, 3);
    for (const [path, mode] of [
      [file, 0o646],
      [home, 0o777],
    ] as const) {
      chmodSync(path, mode);
      const expected = { code: "HERMES_CONFIG_ACCESS", message: /others could change it.*chmod o-w/ };
      await assert.rejects(loadConfig(homePaths(home)), expected);
      chmodSync(path, 0o700);
    }
    assert.equal((await loadConfig(homePaths(home))).values.agent.max_iterations, 3);
    rmSync(file);
  }
  chmodSync(home, 0o777);
  assert.equal((await loadConfig(homePaths(home))).file, null, "nothing is obeyed");
});
