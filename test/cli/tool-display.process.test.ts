/** Tool calls and hooks on a terminal, and unchanged lines in a pipe. */
import assert from "node:assert/strict";
import test from "node:test";
import { Home } from "../helpers/hermes.ts";
import { noPty } from "../helpers/pty.ts";

const skip = noPty;
const ENTER = "\r";
const RED = "\u001b[31m";
const YELLOW = "\u001b[33m\u001b[38;5;130m";

function guardedHome(t: ConstructorParameters<typeof Home>[0]): Home {
  const home = new Home(t);
  const guard = home.script(
    "guard.sh",
    `grep -q forbidden && printf '{"action":"block","message":"not that"}'; exit 0`,
  );
  const broken = home.script("broken.sh", "cat >/dev/null; exit 3");
  home.write(
    "config.yaml",
    `hooks: { pre_tool_call: [{ command: ${guard} }], post_tool_call: [{ command: ${broken} }] }\n`,
  );
  return home;
}

test(
  "a conversation shows previews, diffs, a block and a failure once; /verbose shows everything",
  { skip },
  async (t) => {
    const home = guardedHome(t);
    const pty = home.terminal(["chat", "--accept-hooks"], { NO_COLOR: "" }, { columns: 70 });
    t.after(() => pty.kill());
    await pty.see("›");
    pty.type(`run \`seq 1 9\`${ENTER}`);
    await pty.see(/● terminal seq 1 9[^●]*  1\r?\n  2\r?\n  3\r?\n  … \+6 lines/);
    await pty.see("›");
    pty.type(`write "one" to a.txt${ENTER}`);
    await pty.see(/● write_file a\.txt[^●]*new file \+1\r?\n  1 \+ one/);
    await pty.see("›");
    pty.type(`replace "one" with "two" in a.txt${ENTER}`);
    await pty.see(/1 − one\r?\n  1 \+ two/);
    await pty.see("›");
    pty.type(`run \`echo forbidden\`${ENTER}`);
    await pty.see("✗ blocked by guard.sh: not that");
    await pty.see("›");
    pty.type(`!echo once-$((40 + 2))${ENTER}`);
    await pty.see("once-42");
    await pty.see("›");
    pty.type(`/verbose${ENTER}`);
    await pty.see("shown in full");
    await pty.see("›");
    pty.type(`run \`seq 11 19\`${ENTER}`);
    await pty.see(/command: seq 11 19[^●]*  19\r?\n/);
    await pty.see("›");
    pty.type(`/hooks${ENTER}`);
    await pty.see(/pre_tool_call[^]*allow[^]*guard\.sh[^]*error[^]*broken\.sh/);
    await pty.see("›");
    pty.type("\u0004");
    await pty.see(/broken\.sh failed 6 times in this session/);
    assert.equal(await pty.exited, 0);

    const shown = pty.raw();
    const blocks = shown.split("\n").filter((line) => line.includes("not that") && !line.includes("terminal returned"));
    assert.deepEqual(blocks.length, 1, blocks.join("\n"));
    assert.ok(blocks[0]?.includes(`${RED}  ✗ blocked`), JSON.stringify(blocks));
    assert.equal(shown.split("\n").filter((line) => line.includes(`${YELLOW}  ! broken.sh`)).length, 1);
    assert.equal(shown.split("once-42").length, 2);
  },
);

test("in a pipe and with -Q each block and failure is one line without colours", async (t) => {
  const home = guardedHome(t);
  const ask = ["--accept-hooks", "chat", "-q", "run `echo forbidden` and run `echo fine`"];
  const { stderr } = await home.run(ask);
  const lines = stderr.trim().split("\n");
  assert.match(lines[0] ?? "", /^· terminal {"command":"echo forbidden"}$/);
  assert.match(lines[1] ?? "", /^hook \S+guard\.sh blocked pre_tool_call: not that$/);
  assert.equal(lines.filter((line) => /^shell hook "\S+broken\.sh" failed at post_tool_call/.test(line)).length, 2);
  const quiet = await home.run([...ask, "-Q"]);
  assert.match(quiet.stderr, /^hook \S+guard\.sh blocked/);
  assert.ok(![RED, YELLOW, "●"].some((mark) => (stderr + quiet.stderr).includes(mark)));
});
