/** `ask` of plugins and shell hooks through the whole program: on a terminal, in pipes, in tasks and daemons. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { startDaemon } from "../helpers/daemon.ts";
import { framesOf, Home } from "../helpers/hermes.ts";
import { noPty } from "../helpers/pty.ts";

const ENTER = "\r";
const MODEL = "model: { provider: offline }\n";
const UNASKED = /wants your approval for this call, but nobody can be asked here: is it wise\?/;

const PLUGIN = `export default { hooks: { pre_tool_call: ({ tool_name, args }) =>
  tool_name === "terminal" ? { action: "ask", message: "is it wise?" } : undefined } };`;

/** Where the question comes from: every kind of hook asks the same way. */
const KINDS: Readonly<Record<string, (home: Home) => void>> = {
  plugin(home) {
    home.plugin("asker", PLUGIN);
    home.write("config.yaml", `${MODEL}plugins: { enabled: [asker] }\n`);
  },
  "shell hook": (home) => shellHook(home, `cat >/dev/null; echo '{"action":"ask","message":"is it wise?"}'`),
  "shell hook, the other dialect": (home) =>
    shellHook(home, `cat >/dev/null; echo '{"decision":"ask","reason":"is it wise?"}'`),
};

function shellHook(home: Home, script: string, more = ""): void {
  const command = home.script("ask.sh", script);
  home.write(
    "config.yaml",
    `${MODEL}hooks_auto_accept: true\nhooks: { pre_tool_call: [{ command: "${command}", name: asker${more} }] }\n`,
  );
}

function asking(t: TestContext, kind = "plugin"): Home {
  const home = new Home(t);
  KINDS[kind]!(home);
  return home;
}

for (const kind of Object.keys(KINDS)) {
  test(`a ${kind} asks in a chat; a covers the tool until the session ends`, { skip: noPty }, async (t) => {
    const home = asking(t, kind);
    const pty = home.terminal(["chat"]);
    t.after(() => pty.kill());
    await pty.see("›");
    pty.type(`!echo o''ne${ENTER}`);
    await pty.see("command  echo o''ne");
    await pty.see("reason   is it wise?");
    await pty.see("[y/a/N]");
    pty.type(`a${ENTER}`);
    await pty.see(/\none/);
    await pty.see("›");
    pty.type(`!echo t''wo${ENTER}`);
    await pty.see(/\ntwo/);
    await pty.see("›");
    pty.type(`/new${ENTER}`);
    await pty.see("›");
    pty.type(`!echo th''ree${ENTER}`);
    await pty.see("[y/a/N]");
    pty.type(`what${ENTER}`);
    await pty.see("You declined this call.");
    await pty.see("›");
    pty.type("\u0004");
    assert.equal(await pty.exited, 0);
    assert.doesNotMatch(pty.output(), /\nthree/);
  });

  test(`a ${kind} asks nobody in a pipe: the call is blocked, and the stream and the terminal say so`, async (t) => {
    const home = asking(t, kind);
    const ended = await home.run(["chat", "-q", "run `echo ran`", "--output-format", "stream-json"]);
    const frames = framesOf(ended);
    const hook = frames.find(({ type }) => type === "hook");
    assert.deepEqual([hook?.["outcome"], hook?.["detail"]], ["ask", "is it wise?"]);
    const result = frames.find(({ type }) => type === "tool_result");
    assert.equal(result?.["success"], false);
    assert.match(String(result?.["content"]), UNASKED);
    assert.match(ended.stderr, /hook asker asked for approval of a tool call \(is it wise\?\)/);
    assert.equal(ended.code, 0);
    const [line] = JSON.parse((await home.run(["hooks", "log", "--json"])).stdout).runs as { outcome: string }[];
    assert.equal(line?.outcome, "ask");
  });
}

test("a question before a one-shot run: keys typed earlier do not answer it", { skip: noPty }, async (t) => {
  const home = new Home(t);
  shellHook(
    home,
    `cat >/dev/null; touch "$HERMES_HOME/asking"; until [ -e "$HERMES_HOME/go" ]; do sleep 0.02; done
echo '{"action":"ask","message":"is it wise?"}'`,
  );
  const pty = home.terminal(["chat", "-q", "!echo never"]);
  t.after(() => pty.kill());
  const { until } = await import("../helpers/poll.ts");
  await until(() => home.has("asking"), "the hook runs");
  pty.type(`y${ENTER}`);
  await pty.see("y");
  home.write("go", "");
  await pty.see("[y/a/N]");
  pty.type(ENTER);
  assert.equal(await pty.exited, 0);
  assert.match(pty.output(), /You declined this call\./);
  assert.doesNotMatch(pty.output(), /\nnever/);
});

test("hooks test shows the question and asks nobody; events lists the verb", async (t) => {
  const home = asking(t, "shell hook");
  const { code, stdout } = await home.run(["hooks", "test", "pre_tool_call", "--json"]);
  assert.equal(code, 0);
  const { results } = JSON.parse(stdout) as { results: { answer: object; error: string | null }[] };
  assert.deepEqual(
    results.map(({ answer, error }) => ({ answer, error })),
    [{ answer: { action: "ask", message: "is it wise?" }, error: null }],
  );
  assert.match((await home.run(["hooks", "events", "pre_tool_call"])).stdout, /\{ action: "ask", message \}/);
});

test("a task asks nobody, on a terminal either", { skip: noPty }, async (t) => {
  const home = asking(t);
  const pty = home.terminal(["run", "run `echo ran`"]);
  t.after(() => pty.kill());
  await pty.see(UNASKED);
  assert.equal(await pty.exited, 0);
  assert.doesNotMatch(pty.output(), /\[y\/a\/N\]/);
});

test("a daemon asks nobody", async (t) => {
  const home = asking(t);
  const daemon = await startDaemon(t, home, { args: ["run `echo ran`"] });
  await daemon.turns(1);
  const result = daemon.frames().find(({ type }) => type === "tool_result");
  assert.match(String(result?.["content"]), UNASKED);
});
