/** CONTRACT §3 on a terminal: every slash command, and Ctrl+C and Ctrl+D at odd moments. */
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

const NEVER = `
import { appendFileSync } from "node:fs";
const note = (text) => appendFileSync(process.env.HERMES_HOME + "/events", text + "\\n");
export function register(ctx) {
  ctx.register_command({
    name: "never",
    description: "never ends",
    handler: () => {
      note("never");
      return new Promise(() => undefined);
    },
  });
  ctx.register_command({ name: "fails", description: "fails", handler: () => { throw new Error("not today"); } });
  ctx.register_hook("on_session_end", ({ completed, interrupted }) => note("end " + completed + " " + interrupted));
  ctx.register_hook("on_session_finalize", async () => {
    note("finalize");
    if (process.env.HANG) await new Promise(() => undefined);
  });
  ctx.on_unload(() => note("unload"));
}`;

test("every slash command of the contract answers, none ends the conversation but /quit", { skip }, async (t) => {
  const home = new Home(t);
  home.plugin("never", NEVER);
  home.write("config.yaml", "plugins: { enabled: [never] }\n");
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  for (const [typed, answer] of [
    ["first words", /first words[\s\S]*offline model/],
    ["/help", /\/retry\s+send your last message again[\s\S]*\/never\s+never ends \(plugin never\)/],
    ["/status", /session\s+[0-9a-f]{8}_\w+, 2 messages/],
    ["/title a name", /a name/],
    ["/sessions", /[0-9a-f]{8}_\w+[\s\S]*a name/],
    ["/model", /offline \(offline\)/],
    ["/tools", /delegate_task/],
    ["/hooks", /on_session_finalize\s+plugin\s+never/],
    ["/history", /user: first words/],
    ["/retry", /first words/],
    ["/undo", /Removed: first words/],
    ["/stop", "No turn is running."],
    ["/resume latest", /Resumed [0-9a-f]{8}_/],
    ["/resume nope", /There is no session "nope"/],
    ["/fails", /The command \/fails of the plugin "never" failed: not today/],
    ["/reset", /New session/],
    ["/clear", /New session/],
    ["/exitt", /Did you mean "\/exit"\?/],
  ] as const) {
    pty.type(`${typed}${ENTER}`);
    await pty.see(answer);
    await pty.see("›");
  }
  pty.type(`/exit${ENTER}`);
  assert.equal(await pty.exited, 0);
});

test("Ctrl+C stops a command that never ends; the conversation continues", { skip }, async (t) => {
  const home = new Home(t);
  home.plugin("never", NEVER);
  home.write("config.yaml", "plugins: { enabled: [never] }\n");
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type(`/never${ENTER}`);
  await until(() => home.has("events"), "the command has begun");
  pty.type(CTRL_C);
  await pty.see("Interrupted.");
  await pty.see("›");
  pty.type(`and on${ENTER}`);
  await pty.see("offline model");
  pty.type(CTRL_D);
  assert.equal(await pty.exited, 0);
});

test("Ctrl+C clears what is half typed", { skip }, async (t) => {
  const home = new Home(t);
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type(`half typed${CTRL_C}`);
  await pty.see("Press Ctrl+C again to exit.");
  await pty.see("›");
  pty.type(`whole${ENTER}`);
  const shown = await pty.see("offline model");
  assert.match(shown, /whole/);
  assert.doesNotMatch(shown, /half typed/);
  pty.type(CTRL_D);
  assert.equal(await pty.exited, 0);
});

test("Ctrl+D in the middle of a turn stops it; both closing hooks run", { skip }, async (t) => {
  const home = new Home(t);
  home.plugin("never", NEVER);
  await using server = await startModelServer([{ hangAfter: "thinking" }]);
  home.write(
    "config.yaml",
    `plugins: { enabled: [never] }\nmodel: { provider: openai-compatible, default: m, base_url: "${server.url}" }\n`,
  );
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type(`go${ENTER}`);
  await pty.see("thinking");
  pty.type(CTRL_D);
  await server.clientGone;
  assert.equal(await pty.exited, 0);
  assert.equal(home.read("events"), "end false true\nfinalize\nunload\n");
});

test("Ctrl+C while a hook holds up the end: twice ends the program at once", { skip }, async (t) => {
  const home = new Home(t);
  home.plugin("never", NEVER);
  home.write("config.yaml", "plugins: { enabled: [never] }\n");
  const pty = home.terminal(["chat"], { HANG: "1" });
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type(`hello${ENTER}`);
  await pty.see("offline model");
  await pty.see("›");
  pty.type(CTRL_D);
  await until(() => home.read("events").includes("finalize"), "the closing hook is reached");
  let hasExited = false;
  const exited = pty.exited.finally(() => (hasExited = true));
  // Those that come soon after the first are the same wish.
  const press = () => {
    if (!hasExited) pty.type(CTRL_C);
    return hasExited;
  };
  await until(press, "the program ends");
  assert.equal(await exited, 130);
  assert.equal(home.read("events"), "end true false\nfinalize\n", "the hook is not waited for, nothing comes after it");
});

const WATCH = `
import { appendFileSync } from "node:fs";
const note = (text) => appendFileSync(process.env.HERMES_HOME + "/events", text + "\\n");
export function register(ctx) {
  ctx.register_hook("on_session_end", ({ completed, interrupted }) => note("end " + completed + " " + interrupted));
  ctx.register_hook("on_session_reset", () => note("reset"));
  ctx.on("command:*", (event) => note(event));
}`;

for (const [typed, noted] of [
  ["/exit", ["end false true", "command:exit"]],
  ["/quit", ["end false true", "command:quit"]],
  [CTRL_D, ["end false true"]],
  ["/new", ["end false true", "command:new", "reset"]],
  ["/stop", ["command:stop", "end false true"]],
] as const) {
  test(`${JSON.stringify(typed)} during a turn acts at once`, { skip }, async (t) => {
    await using model = await startModelServer([{ hangAfter: "I begin" }]);
    const home = new Home(t);
    home.plugin("watch", WATCH);
    home.write(
      "config.yaml",
      `model: { provider: openai-compatible, default: m, base_url: "${model.url}" }\nplugins: { enabled: [watch] }\n`,
    );
    const pty = home.terminal(["chat"]);
    t.after(() => pty.kill());
    await pty.see("›");
    pty.type(`hello${ENTER}`);
    await pty.see("I begin");
    // A message that waits does not come first.
    if (typed === "/exit") pty.type(`later${ENTER}`);
    pty.type(typed === CTRL_D ? CTRL_D : `${typed}${ENTER}`);
    if (typed === "/new" || typed === "/stop") {
      await pty.see(typed === "/new" ? "New session" : "›");
      pty.type(CTRL_D);
    }
    assert.equal(await pty.exited, 0);
    const events = home.read("events").trim().split("\n");
    assert.deepEqual(events.slice(0, noted.length), noted);
    assert.equal(model.requests.length, 1);
  });
}
