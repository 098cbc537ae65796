/** The approvals' file in every state, met by the real commands (CONTRACT §5). */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Home } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";

const ALLOWLIST = "shell-hooks-allowlist.json";
const COMMAND = "~/.hermes/agent-hooks/guard.sh";
const PAIR = { event: "pre_tool_call", command: COMMAND };
const GOOD = JSON.stringify({ approvals: [PAIR] });

function guarded(context: TestContext, extra = ""): { home: Home; file: string } {
  const home = new Home(context);
  home.script("guard.sh", `cat >/dev/null; echo '{"action":"block","message":"guard-ran"}'\n`);
  home.write("config.yaml", `${extra}hooks: { pre_tool_call: [{ command: "${COMMAND}" }] }\n`);
  return { home, file: join(home.path, ALLOWLIST) };
}

const turn = ["chat", "-q", "run `echo reached`"];

/** One that is read in vain, and one that is not read. test/allowlist/store.test.ts has every state. */
const STATES: readonly (readonly [what: string, make: (home: Home, file: string) => void, says: RegExp])[] = [
  ["is truncated", (home) => void home.write(ALLOWLIST, GOOD.slice(0, -5), 0o600), /is not valid JSON/],
  ["is a symlink", (home, file) => symlinkSync(home.write("other.json", GOOD, 0o600), file), /is a symbolic link/],
];
for (const [what, make, says] of STATES) {
  test(`a file that ${what}: no approvals, reported by every command, never overwritten`, async (context) => {
    const { home, file } = guarded(context);
    make(home, file);
    const before = statSync(file);
    const chat = await home.run(["--accept-hooks", ...turn]);
    assert.equal(chat.code, 0, "a chat goes on");
    assert.match(chat.stderr, says);
    assert.match(chat.stdout, /reached/);
    assert.doesNotMatch(chat.stdout, /guard-ran/);
    const allow = await home.run(["hooks", "allow", "pre_tool_call", COMMAND]);
    assert.equal(allow.code, 1);
    const others = [["list"], ["doctor"], ["revoke", COMMAND]].map((args) => home.run(["hooks", ...args]));
    for (const { stdout, stderr } of await Promise.all(others)) assert.match(stdout + stderr, says);
    const after = statSync(file);
    assert.deepEqual([after.ino, after.size, after.mtimeMs], [before.ino, before.size, before.mtimeMs]);
  });
}

test("a file that others may write: its approvals are ignored, and the next write makes it 0600", async (context) => {
  const { home, file } = guarded(context);
  writeFileSync(file, GOOD);
  chmodSync(file, 0o666);
  const chat = await home.run(turn);
  assert.match(chat.stderr, /is writable by other users/);
  assert.doesNotMatch(chat.stdout, /guard-ran/);
  assert.equal((await runInProcess(home, ["hooks", "allow", "pre_tool_call", COMMAND])).code, 0);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match((await home.run(turn)).stdout, /guard-ran/);
});

test("a missing file approves nothing; one bad entry among good ones is skipped with a warning", async (context) => {
  const { home } = guarded(context);
  const none = await home.run(turn);
  assert.match(none.stderr, /1 shell hook is not approved.*--accept-hooks.*HERMES_ACCEPT_HOOKS.*hooks_auto_accept/);
  assert.doesNotMatch(none.stdout, /guard-ran/);
  home.write(ALLOWLIST, JSON.stringify({ approvals: [7, PAIR, { event: "pre_tool_call" }] }), 0o600);
  const some = await home.run(turn);
  assert.match(some.stdout, /guard-ran/, "event and command alone suffice");
  assert.match(some.stderr, /approvals\[0\].*\n.*approvals\[2\]/);
  const { hooks } = JSON.parse((await runInProcess(home, ["hooks", "list", "--json"])).stdout) as {
    hooks: { drift: string }[];
  };
  assert.equal(hooks[0]?.drift, "unknown");
});

for (const [by, args, env, config] of [
  ["flag", ["--accept-hooks"], {}, ""],
  ["env", [], { HERMES_ACCEPT_HOOKS: "on" }, ""],
  ["config", [], {}, "hooks_auto_accept: true\n"],
] as const) {
  test(`the opt-in by ${by} runs the hook and records the approval`, async (context) => {
    const { home } = guarded(context, config);
    assert.match((await home.run([...args, ...turn], { env })).stdout, /guard-ran/);
    const { approvals } = JSON.parse(home.read(ALLOWLIST)) as { approvals: Record<string, unknown>[] };
    assert.equal(approvals.length, 1);
    const { approved_at, script_mtime_at_approval, script_sha256, ...rest } = approvals[0]!;
    const script_path = join(home.path, "agent-hooks/guard.sh");
    assert.deepEqual(rest, { ...PAIR, approved_by: by, script_path });
    assert.match(`${String(approved_at)} ${String(script_mtime_at_approval)}`, /^\d{4}-[^ ]+Z \d{4}-[^ ]+Z$/);
    assert.match(String(script_sha256), /^[0-9a-f]{64}$/);
    assert.equal(statSync(join(home.path, ALLOWLIST)).mode & 0o777, 0o600);
    assert.match((await home.run(turn)).stdout, /guard-ran/, "and the next run needs none");
  });
}

test("HERMES_ACCEPT_HOOKS=0 does not opt in", async (context) => {
  const { home } = guarded(context);
  const { stdout, stderr } = await home.run(turn, { env: { HERMES_ACCEPT_HOOKS: "0" } });
  assert.doesNotMatch(stdout, /guard-ran/);
  assert.match(stderr, /not approved/);
  assert.equal(home.has(ALLOWLIST), false);
});

test("a home that is full or read-only: allow ends with 1, an opt-in holds for the run, pinned does not run", async (t) => {
  const removals: (() => void)[] = [];
  t.after(() => removals.forEach((remove) => remove()));
  const home = new Home({ after: (remove) => removals.push(remove as () => void) });
  const disk = join(home.work, "disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], { stdio: "pipe" });
  } catch {
    return t.skip("no file system can be mounted here");
  }
  removals.unshift(() => execFileSync("umount", ["-l", disk]));
  const script = home.script("guard.sh", `cat >/dev/null; echo '{"action":"block","message":"guard-ran"}'\n`);
  const config = (mode: string) =>
    `hooks_consent: ${mode}\nhooks: { pre_tool_call: [{ command: "${script}", fail_closed: true }] }\n`;
  writeFileSync(join(disk, "config.yaml"), config("command"));
  const run = (...args: string[]) => home.run(["--home", disk, ...args]);
  assert.equal((await run("hooks", "allow", "pre_tool_call", "kept")).code, 0);
  const before = readFileSync(join(disk, ALLOWLIST), "utf8");
  const check = async () => {
    const allow = await run("hooks", "allow", "pre_tool_call", script);
    assert.equal(allow.code, 1, allow.stderr);
    assert.match(allow.stderr, /cannot be written/);
    const chat = await run("--accept-hooks", ...turn);
    assert.match(chat.stdout, /guard-ran/);
    assert.equal(readFileSync(join(disk, ALLOWLIST), "utf8"), before);
  };
  try {
    writeFileSync(join(disk, "filler"), "x".repeat(1_000_000));
  } catch {
    // The disk is full, as it should be.
  }
  await check();
  truncateSync(join(disk, "filler"), 0);
  writeFileSync(join(disk, "config.yaml"), config("pinned"));
  execFileSync("mount", ["-o", "remount,ro", disk]);
  const pinned = await run("--accept-hooks", ...turn);
  assert.match(pinned.stderr, /private copy .* cannot be created/);
  assert.doesNotMatch(pinned.stdout, /guard-ran|"output":"reached/);
});
