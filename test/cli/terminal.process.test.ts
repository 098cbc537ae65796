import assert from "node:assert/strict";
import test from "node:test";
import { Home } from "../helpers/hermes.ts";
import { startModelServer } from "../helpers/model-server.ts";
import { noPty } from "../helpers/pty.ts";
import { until } from "../helpers/poll.ts";

const skip = noPty;
const ENTER = "\r";
const CTRL_C = "\u0003";
const CTRL_D = "\u0004";

/** A plugin that appends what it sees to the file `events` in the home. */
const RECORDER = `
import { appendFileSync } from "node:fs";
const note = (...words) => appendFileSync(process.env.HERMES_HOME + "/events", words.join(" ") + "\\n");
export function register(ctx) {
  for (const event of ["on_session_start", "on_session_end", "on_session_finalize", "on_session_reset"]) {
    ctx.register_hook(event, (payload) => note(event, payload.interrupted ?? ""));
  }
  ctx.on("session:end", () => note("session:end"));
  ctx.on("session:reset", () => note("session:reset"));
}`;

function recorded(home: Home): string[] {
  return home
    .read("events")
    .trim()
    .split("\n")
    .map((line) => line.trim());
}

function recording(t: ConstructorParameters<typeof Home>[0]): Home {
  const home = new Home(t);
  home.plugin("recorder", RECORDER);
  home.write("config.yaml", "plugins: { enabled: [recorder] }\n");
  return home;
}

test(
  "hermes alone chats; the first start says which model answers and what tools may do, later ones not",
  { skip },
  async (t) => {
    const home = new Home(t);
    for (const start of ["first", "second"]) {
      const pty = home.terminal([]);
      t.after(() => pty.kill());
      await pty.see("Type /help for commands");
      await pty.see("›");
      pty.type(CTRL_D);
      assert.equal(await pty.exited, 0);
      const wanted = [
        /offline model answers/,
        /run: hermes model/,
        /Tools run without asking .*hermes plugins enable approvals/,
      ];
      for (const line of wanted) assert.equal(line.test(pty.output()), start === "first", `${start}: ${pty.output()}`);
    }
    const configured = new Home(t);
    configured.write("config.yaml", "model: { provider: offline }\n");
    const pty = configured.terminal(["say hello"]);
    t.after(() => pty.kill());
    assert.equal(await pty.exited, 0);
    assert.match(pty.output(), /hello/);
    assert.doesNotMatch(pty.output(), /run: hermes model/);
    const quiet = new Home(t).terminal(["-Q", "-q", "hello"], { OPENAI_API_KEY: "" });
    assert.equal(await quiet.exited, 0);
    assert.doesNotMatch(quiet.output(), /run: hermes model/);
  },
);

test("the first start names the model of a key in the environment", { skip }, async (t) => {
  const pty = new Home(t).terminal([], { ANTHROPIC_API_KEY: "a-key" }, { columns: 40 });
  t.after(() => pty.kill());
  // On a narrow terminal it is broken between words, before there is a screen, too.
  await pty.see(/^The model is claude-sonnet-4-6: the\r?\nenvironment has a key for anthropic\.\r?\n/);
  await pty.see("›");
  pty.type(CTRL_D);
  assert.equal(await pty.exited, 0);
});

test("a conversation: answers, !commands, slash commands, Ctrl+D ends it with 0", { skip }, async (t) => {
  const home = recording(t);
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("Type /help for commands");
  await pty.see("›");
  pty.type(`hello there${ENTER}`);
  await pty.see(/offline model/);
  await pty.see("›");
  pty.type(`!echo typed-$((20 + 3))${ENTER}`);
  await pty.see("typed-23");
  await pty.see("›");
  pty.type(`/new${ENTER}`);
  await pty.see("New session");
  await pty.see("›");
  pty.type(`/hlep${ENTER}`);
  await pty.see('Did you mean "/help"?');
  await pty.see("›");
  pty.type(`second${ENTER}`);
  await pty.see("second");
  await pty.see("›");
  pty.type(CTRL_D);
  assert.equal(await pty.exited, 0);
  assert.deepEqual(recorded(home), [
    "on_session_start",
    "on_session_end false",
    "session:end",
    "on_session_finalize",
    "session:reset",
    "on_session_reset",
    "on_session_start",
    "on_session_end false",
    "session:end",
    "on_session_finalize",
  ]);
  assert.match(home.read("chat-history"), /"hello there"\}\n\{.*"!echo typed/);
});

test(
  "Ctrl+C stops the turn, and the server sees the socket close; twice ends the program with 130",
  { skip },
  async (t) => {
    const home = recording(t);
    await using server = await startModelServer([{ hangAfter: "thinking" }]);
    home.write(
      "config.yaml",
      `plugins: { enabled: [recorder] }\nmodel: { provider: openai-compatible, default: m, base_url: "${server.url}" }\n`,
    );
    const pty = home.terminal(["chat"]);
    t.after(() => pty.kill());
    await pty.see("›");
    pty.type(`go${ENTER}`);
    await pty.see("thinking");
    pty.type(CTRL_C);
    await server.clientGone;
    // Clearing the line shows the prompt too: what was recorded says that the turn has ended.
    await until(() => recorded(home).length >= 2, "the turn has ended");
    assert.deepEqual(recorded(home), ["on_session_start", "on_session_end true"]);
    // More than two seconds may have passed since the first one: two more are twice in any case.
    pty.type(CTRL_C);
    pty.type(CTRL_C);
    assert.equal(await pty.exited, 130);
    assert.deepEqual(recorded(home).slice(2), ["session:end", "on_session_finalize"]);
  },
);

test("pasted lines stay together, a backslash continues a line", { skip }, async (t) => {
  const home = new Home(t);
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type(`\u001b[200~first line\rrun \`echo pa''sted\`\rlast line\u001b[201~${ENTER}`);
  await pty.see("pasted");
  await pty.see("›");
  pty.type(`continued \\${ENTER}`);
  await pty.see("…");
  pty.type(`to here${ENTER}`);
  await pty.see(/continued\s+to here/);
  pty.type(CTRL_D);
  assert.equal(await pty.exited, 0);
  const { stdout } = await home.run(["sessions", "export", "latest"]);
  const { messages } = JSON.parse(stdout) as { messages: { role: string; content: string }[] };
  assert.deepEqual(
    messages.filter(({ role }) => role === "user").map(({ content }) => content),
    ["first line\nrun `echo pa''sted`\nlast line", "continued \nto here"],
  );
});

test("Tab completes slash commands, the plugins' too", { skip }, async (t) => {
  const home = new Home(t);
  home.plugin(
    "greeter",
    `export const register = (ctx) => ctx.register_command({ name: "greetings", description: "says hello", handler: () => "hello" });`,
  );
  home.write("config.yaml", "plugins: { enabled: [greeter] }\n");
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type("/gre\t");
  await pty.see("/greetings");
  pty.type(ENTER);
  await pty.see("hello");
  pty.type(`/quit${ENTER}`);
  assert.equal(await pty.exited, 0);
});

test("/retry and /undo work on the last turn, /resume goes back", { skip }, async (t) => {
  const home = new Home(t);
  await home.run(["chat", "-q", "an older session"]);
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type(`say one${ENTER}`);
  await pty.see(/say one[\s\S]*›/);
  pty.type(`/retry${ENTER}`);
  await pty.see(/say one[\s\S]*›/);
  pty.type(`/history${ENTER}`);
  const shown = await pty.see(/user: [\s\S]*›/);
  assert.equal(shown.split("user: say one").length, 2, shown);
  pty.type(`/undo${ENTER}`);
  await pty.see("Removed: say one");
  await pty.see("›");
  pty.type(`/resume latest${ENTER}`);
  await pty.see(/Resumed [0-9a-f]{8}_/);
  pty.type(CTRL_D);
  assert.equal(await pty.exited, 0);
});

test("the terminal is asked for consent; no answer is no", { skip }, async (t) => {
  const home = new Home(t);
  const script = home.script("guard.sh", `printf '{"decision":"block","reason":"guarded"}'`);
  home.write("config.yaml", `hooks: { pre_tool_call: [{ command: ${script} }] }\n`);
  const refused = home.terminal(["chat"]);
  t.after(() => refused.kill());
  await refused.see("Allow this hook?");
  refused.type(ENTER);
  await refused.see("›");
  refused.type(`!echo un''guarded${ENTER}`);
  await refused.see("unguarded");
  refused.type(CTRL_D);
  assert.equal(await refused.exited, 0);

  const allowed = home.terminal(["chat", "-q", "!echo x"]);
  t.after(() => allowed.kill());
  await allowed.see("Allow this hook?");
  allowed.type(`y${ENTER}`);
  await allowed.see("blocked by guard.sh: guarded");
  assert.equal(await allowed.exited, 0);
  assert.match(home.read("shell-hooks-allowlist.json"), /"approved_by": ?"prompt"/);
});
