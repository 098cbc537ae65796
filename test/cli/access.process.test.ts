/** Configuration, plugins, hooks and scripts that others could change (CONTRACT §2). */
import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { framesOf, Home } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";

const TURN = ["chat", "-q", "run `echo reached`", "--output-format", "stream-json"] as const;

for (const [what, path, mode] of [
  ["config.yaml", "config.yaml", 0o666],
  ["the home", "", 0o777],
] as const) {
  test(`everyone may write ${what}: every command that reads it ends with 2 and names the chmod`, async (t) => {
    const home = new Home(t);
    const planted = join(home.work, "planted");
    home.write(
      "config.yaml",
      `hooks_auto_accept: true\nhooks: { on_session_start: [{ command: "touch ${planted}" }] }\n`,
    );
    const target = join(home.path, path);
    chmodSync(target, mode);
    const commands = [
      ["hooks", "list"],
      ["hooks", "doctor"],
      ["config", "check"],
      ["hooks", "allow", "--all"],
    ];
    for (const args of [TURN, ...commands]) {
      const { code, stderr } = args === TURN ? await home.run(args) : await runInProcess(home, args);
      assert.equal(code, 2, args.join(" "));
      assert.ok(stderr.includes(`chmod o-w ${target.replace(/\/$/, "")}`), stderr);
    }
    assert.equal(existsSync(planted), false);
    chmodSync(target, 0o700);
    assert.equal((await home.run(TURN)).code, 0);
    assert.equal(existsSync(planted), true);
  });
}

// Only root can give files away; what is decided for another owner is in test/core/home/access.test.ts for everybody.
if (process.getuid?.() === 0) {
  test("a config.yaml of another user is refused with the chown", async (t) => {
    const home = new Home(t);
    const config = home.write("config.yaml", "agent: { max_iterations: 3 }\n");
    chownSync(config, 12_345, 12_345);
    const { code, stderr } = await runInProcess(home, ["config", "check"]);
    assert.equal(code, 2);
    assert.match(stderr, /belongs to another user \(uid 12345\).*chown 0 /);
  });
}

test("a script that everyone may write is warned about, and its fail_closed gate blocks, at each firing", async (t) => {
  for (const open of ["agent-hooks/guard.sh", "agent-hooks"]) {
    const home = new Home(t);
    const script = home.script("guard.sh", "cat >/dev/null\n");
    const entries = [{ command: script, fail_closed: true }];
    home.write("config.yaml", `hooks: { pre_tool_call: ${JSON.stringify(entries)} }\n`);
    await runInProcess(home, ["hooks", "allow", "--all"]);
    const target = join(home.path, open);
    const result = async () => {
      const ended = await home.run(TURN);
      const found = framesOf(ended).find(({ type }) => type === "tool_result");
      return { success: found?.["success"], content: String(found?.["content"]), stderr: ended.stderr };
    };
    assert.equal((await result()).success, true);
    chmodSync(target, 0o777);
    const { success, content, stderr } = await result();
    assert.equal(success, false);
    assert.ok(content.includes(`chmod o-w ${target}`), content);
    assert.match(stderr, /hooks\.pre_tool_call\[0\]: everyone can write .*every matching call is blocked/);
    const list = await runInProcess(home, ["hooks", "list", "--check"]);
    assert.equal(list.code, 1);
    assert.ok(list.stderr.includes(`everyone can write ${target}`));
    const doctor = await home.run(["hooks", "doctor"]);
    assert.equal(doctor.code, 1);
    assert.ok(doctor.stdout.includes(`everyone can write ${target}`));
    chmodSync(target, 0o755);
    assert.equal((await result()).success, true);

    home.write("config.yaml", `hooks: { pre_tool_call: [{ command: "${script}" }] }\n`);
    chmodSync(target, 0o777);
    const lenient = await result();
    assert.equal(lenient.success, true, "a gate that may fail open runs");
    assert.match(lenient.stderr, /everyone can write/);
  }
});

test("a plugin that everyone may write is warned about; marked on_error: block, it blocks", async (t) => {
  const home = new Home(t);
  home.plugin("guard", "export default { hooks: { pre_tool_call: () => null } };\n", {
    manifest: "name: guard\nprovides_hooks: [pre_tool_call]\n",
  });
  home.write("config.yaml", "plugins: { enabled: [guard] }\n");
  chmodSync(join(home.path, "plugins/guard/index.ts"), 0o666);
  const open = await home.run(TURN);
  assert.match(open.stderr, /plugins\/guard is not safe: everyone can write .*index\.ts/);
  assert.match(open.stdout, /"success":true/);
  assert.match((await home.run(["hooks", "doctor"])).stdout, /plugins\/guard is not safe/);
  home.write("config.yaml", "plugins: { enabled: [guard], entries: { guard: { on_error: block } } }\n");
  const closed = await home.run(TURN);
  assert.match(closed.stdout, /"success":false/);
  assert.match(closed.stderr, /plugin "guard" was not loaded: .* is not safe/);
});

test("a gateway hook's folder that everyone may write is warned about", async (t) => {
  const home = new Home(t);
  home.write("hooks/log/HOOK.yaml", "name: log\nevents: [gateway:startup]\n");
  home.write("hooks/log/handler.js", "export function handle() {}\n");
  assert.doesNotMatch((await home.run(["hooks", "doctor"])).stdout, /not safe/);
  chmodSync(join(home.path, "hooks/log"), 0o777);
  assert.match(
    (await runInProcess(home, ["hooks", "list"])).stderr,
    /hooks\/log is not safe: everyone can write .*chmod o-w/,
  );
  const doctor = await home.run(["hooks", "doctor"]);
  assert.equal(doctor.code, 1);
  assert.match(doctor.stdout, /hooks\/log is not safe/);
});
