/** `protocol: claude` through the whole program: blocked, changed, asked. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { framesOf, Home, ROOT } from "../helpers/hermes.ts";
import { noPty } from "../helpers/pty.ts";

const skip = noPty;
const ENTER = "\r";

/** A home with one approved entry under pre_tool_call. */
function withGuard(t: TestContext, script: string, entry = "matcher: Bash"): Home {
  const home = new Home(t);
  const command = home.script("guard.sh", script);
  home.write("config.yaml", `hooks:\n  pre_tool_call: [{ command: "${command}", protocol: claude, ${entry} }]\n`);
  home.write(
    "shell-hooks-allowlist.json",
    JSON.stringify({ approvals: [{ event: "pre_tool_call", command, shell: true }] }),
    0o600,
  );
  return home;
}

const ASKS = `cat >/dev/null
echo '{"hookSpecificOutput":{"permissionDecision":"ask","permissionDecisionReason":"is it wise?"}}'`;

test("a guard blocks its tool and leaves others alone", async (t) => {
  const home = withGuard(t, "echo 'not here' >&2; exit 2", "matcher: Write, fail_closed: true");
  const calls = '@write_file {"path":"a.txt","content":"x"}\n@terminal {"command":"echo ran"}';
  const frames = framesOf(await home.run(["chat", "-q", calls, "--output-format", "stream-json"]));
  const results = frames.filter(({ type }) => type === "tool_result");
  const successOf = (name: string) => results.find(({ tool }) => tool === name)?.["success"];
  assert.deepEqual([successOf("terminal"), successOf("write_file")], [true, false]);
  assert.deepEqual(JSON.parse(String(results.find(({ tool }) => tool === "write_file")?.["content"])), {
    error: "not here",
  });
  assert.deepEqual(
    frames.filter(({ type }) => type === "hook").map(({ outcome }) => outcome),
    ["block"],
  );
});

test("updatedInput reaches the tool", async (t) => {
  const home = withGuard(
    t,
    `cat >/dev/null; echo '{"hookSpecificOutput":{"permissionDecision":"allow","updatedInput":{"command":"echo other"}}}'`,
  );
  const { stdout } = await home.run(["chat", "-q", "!echo one"]);
  assert.equal(stdout, "other\n");
});

test("updatedToolOutput is what the model and the surfaces get; a chat shows who replaced it", async (t) => {
  const home = new Home(t);
  const command = home.script(
    "hides.sh",
    `cat >/dev/null; echo '{"hookSpecificOutput":{"updatedToolOutput":"(hidden)"}}'`,
  );
  home.write(
    "config.yaml",
    `hooks_auto_accept: true\nhooks:\n  post_tool_call: [{ command: "${command}", protocol: claude, matcher: Bash, name: hides }]\n`,
  );
  // What is registered is listed once, although two hooks work together.
  const list = `"${process.execPath}" "${join(ROOT, "cli/bin.js")}" hooks list --live --json`;
  await home.run(["chat", "-q", `!${list} > live.json`]);
  const listed = readFileSync(join(home.work, "live.json"), "utf8");
  const { processes } = JSON.parse(listed) as { processes: { hooks: { event: string }[] }[] };
  assert.deepEqual(
    processes.flatMap(({ hooks }) => hooks.map(({ event }) => event)),
    ["post_tool_call"],
    listed,
  );
  const ended = await home.run(["chat", "-q", "run `echo secret`", "--output-format", "stream-json"]);
  const frames = framesOf(ended);
  assert.equal(frames.find(({ type }) => type === "tool_result")?.["content"], "(hidden)");
  assert.doesNotMatch(String(frames.find(({ type }) => type === "assistant")?.["content"]), /secret\\n/);
  assert.match(ended.stderr, /hook hides replaced the tool result/);
});

test("systemMessage is shown on the terminal and in the stream, without secrets", async (t) => {
  const home = withGuard(t, `cat >/dev/null; echo '{"systemMessage":"signed in with hunter2hunter2"}'`);
  const options = { env: { SOME_API_KEY: "hunter2hunter2" } };
  const shown = await home.run(["chat", "-q", "!true"], options);
  assert.match(shown.stderr, /^hook \/.*guard\.sh: signed in with /m);
  const frames = framesOf(await home.run(["chat", "-q", "!true", "--output-format", "stream-json"], options));
  const hook = frames.find(({ type }) => type === "hook");
  assert.equal(hook?.["outcome"], "pass");
  assert.match(String(hook?.["detail"]), /^signed in with /);
  assert.doesNotMatch(String(hook?.["detail"]), /hunter2/);
});

test("list, test and allow name the protocol and the shell", async (t) => {
  const home = new Home(t);
  home.write(
    "config.yaml",
    'hooks: { pre_tool_call: [{ command: "cat | false", protocol: claude }, { command: "true" }] }\n',
  );
  const listed = JSON.parse((await home.run(["hooks", "list", "--json"])).stdout) as { hooks: { protocol: string }[] };
  assert.deepEqual(
    listed.hooks.map(({ protocol }) => protocol),
    ["claude", "hermes"],
  );
  assert.match((await home.run(["hooks", "list"])).stdout, /claude \(runs through sh -c\)/);
  const tested = JSON.parse((await home.run(["hooks", "test", "pre_tool_call", "--json"])).stdout) as {
    results: { protocol: string; exit_code: number }[];
  };
  assert.deepEqual(
    tested.results.map(({ protocol, exit_code }) => [protocol, exit_code]),
    [
      ["claude", 1],
      ["hermes", 0],
    ],
  );
  assert.match(
    (await home.run(["hooks", "allow", "--all"])).stdout,
    /cat \| false \(pre_tool_call, runs through sh -c\)/,
  );
});

test("the consent prompt says that the command runs through sh -c", { skip }, async (t) => {
  const home = new Home(t);
  home.write("config.yaml", 'hooks: { pre_tool_call: [{ command: "cat; true", protocol: claude }] }\n');
  const pty = home.terminal(["chat", "-q", "hello"]);
  t.after(() => pty.kill());
  await pty.see(/command +cat; true/);
  await pty.see("runs through sh -c");
  await pty.see("Allow this hook? [y/N] ");
  pty.type(`n${ENTER}`);
  assert.equal(await pty.exited, 0);
});

test("ask: the user decides", { skip }, async (t) => {
  const home = withGuard(t, ASKS);
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type(`!echo al''lowed${ENTER}`);
  await pty.see("command  echo al''lowed");
  await pty.see("reason   is it wise?");
  await pty.see("[y/a/N]");
  pty.type(`y${ENTER}`);
  await pty.see(/\nallowed/);
  await pty.see("›");
  pty.type(`!echo re''fused${ENTER}`);
  await pty.see("[y/a/N]");
  pty.type(ENTER);
  await pty.see("You declined this call.");
  await pty.see("›");
  pty.type("\u0004");
  assert.equal(await pty.exited, 0);
  assert.doesNotMatch(pty.output(), /\nrefused/);
  const typed = home.read("chat-history").trim().split("\n");
  assert.deepEqual(
    typed.map((line) => (JSON.parse(line) as { text: string }).text),
    ["!echo al''lowed", "!echo re''fused"],
  );
});

test("ask: text typed before the question is not its answer, and is restored after it", { skip }, async (t) => {
  const home = withGuard(t, `while ! test -e "$HERMES_HOME/go"; do sleep 0.05; done\n${ASKS}`);
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type(`!echo one${ENTER}`);
  pty.type("/he");
  await pty.see(/\/he$/);
  home.write("go", "");
  await pty.see("[y/a/N]");
  pty.type(`y${ENTER}`);
  await pty.see(/\none/);
  await pty.see("› /he");
  pty.type(`lp${ENTER}`);
  await pty.see("/sessions");
  pty.type("\u0004");
  assert.equal(await pty.exited, 0);
});

test("ask: Ctrl+C at the question stops the turn, and the conversation continues", { skip }, async (t) => {
  const home = withGuard(t, ASKS);
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type(`!echo ne''ver${ENTER}`);
  await pty.see("[y/a/N]");
  pty.type("\u0003");
  await pty.see("›");
  pty.type(`/help${ENTER}`);
  await pty.see("/sessions");
  pty.type("\u0004");
  assert.equal(await pty.exited, 0);
  assert.doesNotMatch(pty.output(), /\nnever/);
});

test("ask: one shot on a terminal asks too; calls that run at once ask in turn", { skip }, async (t) => {
  const home = withGuard(t, ASKS);
  const pty = home.terminal([
    "chat",
    "-q",
    '@terminal {"command":"echo o\'\'ne"}\n@terminal {"command":"echo t\'\'wo"}',
  ]);
  t.after(() => pty.kill());
  // The two guards run side by side: whose question comes first is theirs to decide.
  const asked = /command +echo (?:o''ne|t''wo)/;
  const first = await pty.see(asked);
  await pty.see("[y/a/N]");
  pty.type(`y${ENTER}`);
  const second = await pty.see(asked);
  assert.notEqual(second, first);
  await pty.see("[y/a/N]");
  pty.type(`n${ENTER}`);
  assert.equal(await pty.exited, 0);
  const [allowed, refused] = first.endsWith("o''ne") ? [/one\\n/, /two\\n/] : [/two\\n/, /one\\n/];
  assert.match(pty.output(), allowed);
  assert.doesNotMatch(pty.output(), refused);
});

test("ask: Ctrl+C at the question of a one-shot run ends it with 130", { skip }, async (t) => {
  const home = withGuard(t, ASKS);
  const pty = home.terminal(["chat", "-q", "!echo never"]);
  t.after(() => pty.kill());
  await pty.see("[y/a/N]");
  pty.type("\u0003");
  assert.equal(await pty.exited, 130);
});

test("what hooks say at the session's start and after a tool call reaches the model", async (t) => {
  const home = new Home(t);
  const entries = {
    on_session_start: [{ protocol: "claude", command: "echo Today is Monday." }],
    post_tool_call: [
      { protocol: "claude", matcher: "Bash", command: "cat >/dev/null; echo 'lint failed' >&2; exit 2" },
      { protocol: "codex", matcher: "Bash", command: `cat >/dev/null; echo '{"systemMessage":"Seen."}'` },
    ],
  };
  home.write(
    "config.yaml",
    JSON.stringify({ model: { provider: "offline" }, hooks_auto_accept: true, hooks: entries }),
  );
  const frames = framesOf(
    await home.run(["chat", "-q", '@terminal {"command":"echo hi"}', "--output-format", "stream-json"]),
  );
  const hooks = frames
    .filter(({ type }) => type === "hook")
    .map(({ event, outcome }) => `${String(event)} ${String(outcome)}`);
  assert.deepEqual(hooks.toSorted(), [
    "on_session_start pass",
    "post_tool_call pass",
    "post_tool_call pass",
    "pre_llm_call context",
    "transform_tool_result transform",
  ]);
  const result = frames.find(({ type }) => type === "tool_result");
  assert.match(String(result?.["content"]), /"exit_code":0\}\n\nlint failed$/);
});
