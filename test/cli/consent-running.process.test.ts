/** Approvals and revokes reach running conversations at their next event (CONTRACT §5). */
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import test from "node:test";
import { Home } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { noPty as skip, type Pty } from "../helpers/pty.ts";

const COMMAND = "~/.hermes/agent-hooks/guard.sh";

/** Runs a command in the conversation, and waits for what comes of it. */
function sayOn(pty: Pty): (expected: string) => Promise<void> {
  return async (expected) => {
    pty.type("run `echo reached-$((1 + 1))`\r");
    await pty.see("returned");
    await pty.see(expected);
    await pty.see("› ");
  };
}

for (const mode of ["command", "pinned"] as const) {
  test(`a running conversation sees approvals come and go (${mode})`, { skip }, async (context) => {
    const home = new Home(context);
    const script = home.script("guard.sh", `cat >/dev/null; echo '{"action":"block","message":"guard-blocked"}'\n`);
    home.write(
      "config.yaml",
      `hooks_consent: ${mode}\nhooks: { pre_tool_call: [{ command: "${COMMAND}", matcher: terminal }] }\n`,
    );
    const pty = home.terminal(["chat"]);
    context.after(() => pty.kill());
    await pty.see("Allow this hook?");
    pty.type("n\r");
    await pty.see("› ");
    let turn = 0;
    const say = async (expected: (mark: string) => string) => {
      const mark = `mark-${++turn}`;
      pty.type(`run \`echo ${mark}-$((1 + 1))\`\r`);
      await pty.see("returned");
      const seen = await pty.see(expected(`${mark}-2`));
      await pty.see("› ");
      return seen;
    };
    await say((mark) => mark);
    assert.equal((await runInProcess(home, ["hooks", "allow", "pre_tool_call", COMMAND])).code, 0);
    await say(() => "guard-blocked");
    assert.equal((await runInProcess(home, ["hooks", "revoke", COMMAND])).code, 0);
    await say((mark) => mark);
    assert.equal((await runInProcess(home, ["hooks", "allow", "--all"])).code, 0);
    await say(() => "guard-blocked");
    if (mode === "pinned") {
      writeFileSync(script, `#!/bin/sh\ncat >/dev/null; echo '{"action":"block","message":"edited-blocked"}'\n`);
      await say((mark) => mark);
      assert.equal((await runInProcess(home, ["hooks", "allow", "--all"])).code, 0);
      await say(() => "edited-blocked");
    }
    pty.type("\u0004");
    assert.equal(await pty.exited, 0);
  });
}

test(
  "a gate with fail_closed blocks until its approval comes, and again after its revoke",
  { skip },
  async (context) => {
    const home = new Home(context);
    home.script("guard.sh", "cat >/dev/null\n");
    home.write("config.yaml", `hooks: { pre_tool_call: [{ command: "${COMMAND}", fail_closed: true }] }\n`);
    const pty = home.terminal(["chat"]);
    context.after(() => pty.kill());
    await pty.see("Allow this hook?");
    pty.type("n\r");
    await pty.see("is blocked (fail_closed)");
    await pty.see("› ");
    const say = sayOn(pty);
    await say("it is not approved");
    await runInProcess(home, ["hooks", "allow", "pre_tool_call", COMMAND]);
    await say("reached-2");
    await runInProcess(home, ["hooks", "revoke", COMMAND]);
    await say("it is not approved");
  },
);

test("a running conversation notices that an approval lacks the environment", { skip }, async (context) => {
  const home = new Home(context);
  home.script("guard.sh", "cat >/dev/null\n");
  const entry = `{ command: "${COMMAND}", fail_closed: true, env: [A_TOKEN] }`;
  home.write("config.yaml", `hooks: { pre_tool_call: [${entry}] }\n`);
  const pty = home.terminal(["chat"]);
  context.after(() => pty.kill());
  await pty.see("Allow this hook?");
  pty.type("n\r");
  await pty.see("› ");
  const say = sayOn(pty);
  await runInProcess(home, ["hooks", "allow", "pre_tool_call", COMMAND]);
  await say("approved without A_TOKEN");
  await runInProcess(home, ["hooks", "allow", "pre_tool_call", COMMAND, "--env", "A_TOKEN"]);
  await say("reached-2");
});

test("a running conversation notices that everyone may write a guard's script", { skip }, async (context) => {
  const home = new Home(context);
  const script = home.script("guard.sh", "cat >/dev/null\n");
  home.write("config.yaml", `hooks: { pre_tool_call: [{ command: "${COMMAND}", fail_closed: true }] }\n`);
  await runInProcess(home, ["hooks", "allow", "--all"]);
  const pty = home.terminal(["chat"]);
  context.after(() => pty.kill());
  await pty.see("› ");
  const say = sayOn(pty);
  await say("reached-2");
  chmodSync(script, 0o757);
  await say("everyone can write");
  chmodSync(script, 0o755);
  await say("reached-2");
});
